//! A field without `#[service(..)]`.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(running))]
    a: Service,
    count: usize,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
