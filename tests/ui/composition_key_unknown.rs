//! Keys that a composition does not have.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(scop = binary, scope = forever, source = none)]
struct Shop {
    #[service(image = "a", ready(running))]
    a: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
