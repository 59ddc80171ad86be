//! A time to live of a composition without a kept service.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(keep = "2h")]
struct Shop {
    #[service(image = "a", ready(running))]
    a: Service,
    #[service(image = "b", scope = run, ready(running))]
    b: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
