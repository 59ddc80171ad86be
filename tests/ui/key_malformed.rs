//! Malformed arguments.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a" port = 80, "text", privileged = , needs = db, ready)]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
