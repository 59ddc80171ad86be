//! Services that depend on themselves.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", port = 80, env(SELF = "{a}"))]
    a: Service,
    #[service(image = "b", needs(b), ready(running))]
    b: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
