//! A time to live of a composition without a kept service.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(keep = "2h")]
struct Shop {
    #[service(image = "a")]
    a: Service,
    #[service(image = "b", scope = run)]
    b: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
