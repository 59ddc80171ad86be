//! Duplicate names of setups. Those of another service do not count.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", setup(exec = "a", name = "schema"), setup(exec = "b", name = "schema"), ready(running))]
    db: Service,
    #[service(image = "a", setup(exec = "a", name = "schema"), ready(running))]
    other: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
