//! A cycle of three services, by placeholders, `needs` and a readiness check, and a cycle of two.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", port = 80, env(C = "{c.host}"))]
    a: Service,
    #[service(image = "b", needs(a), ready(running))]
    b: Service,
    #[service(image = "c", ready(exec = "ping {b.host}"))]
    c: Service,
    #[service(image = "d", needs(e), ready(running))]
    d: Service,
    #[service(image = "e", needs(d), ready(running))]
    e: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
