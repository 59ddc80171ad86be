//! Keys that are not constants.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", setup(exec = "a", key = version()), ready(running))]
    a: Service,
}

fn version() -> &'static str {
    "v1"
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
