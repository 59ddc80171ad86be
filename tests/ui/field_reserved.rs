//! A field whose placeholder would mean something else.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a")]
    source: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
