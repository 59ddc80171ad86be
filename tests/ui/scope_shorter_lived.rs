//! A service that outlives a service that it depends on.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(scope = binary)]
struct Shop {
    #[service(image = "a", port = 80, scope = test)]
    a: Service,
    #[service(image = "b", env(A = "{a}"), ready(running))]
    b: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
