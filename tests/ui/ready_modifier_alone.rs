//! Modifiers without their keys.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(times = 2, status = 200, port = 80, run = "true"))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
