//! Binaries that the package does not have.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(bin = "shp", ready(running))]
    db: Service,
    #[service(bin = "mailer", ready(running))]
    mailer: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
