//! Malformed names of environment variables.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", env("A B" = "1", "1ST" = "2", "A=B" = "3", "" = "4"), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
