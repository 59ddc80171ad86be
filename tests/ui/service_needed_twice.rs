//! A duplicate service in `needs(..)`.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(running))]
    a: Service,
    #[service(image = "b", needs(a, a), ready(running))]
    b: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
