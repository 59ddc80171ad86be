//! Malformed times to live.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(keep, scope = keep)]
struct Shop {
    #[service(image = "a", keep = 7200, ready(running))]
    a: Service,
    #[service(image = "b", keep = "forever", ready(running))]
    b: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
