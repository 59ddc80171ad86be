//! A mount of a file that does not exist.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", mount("sed.sql" = "/seed.sql"), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
