//! Times to live of zero.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(keep = "0s", scope = keep)]
struct Shop {
    #[service(image = "a", keep = "0h", ready(running))]
    a: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
