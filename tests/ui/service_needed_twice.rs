//! A need written twice.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a")]
    a: Service,
    #[service(image = "b", needs(a, a))]
    b: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
