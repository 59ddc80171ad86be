//! A setup whose command has no container.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", setup(run = "true"), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
