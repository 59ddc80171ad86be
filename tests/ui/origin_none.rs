//! A service without an origin.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(port = 80)]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
