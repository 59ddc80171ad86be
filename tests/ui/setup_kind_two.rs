//! Setups with several steps.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", setup(exec = "a", with = b), setup(image = "b", run = "c", exec = "a"), setup(exec = "a", run = "c"), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
