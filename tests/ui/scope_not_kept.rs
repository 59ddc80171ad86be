//! A kept service that depends on a service of a single run.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", port = 80, scope = run)]
    a: Service,
    #[service(image = "b", env(A = "{a}"), scope = keep, ready(running))]
    b: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
