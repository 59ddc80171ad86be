//! Keys that are not strings, or not constants.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", setup(exec = "a", key = 2), setup(exec = "a", key = include_bytes!("../seed.sql")), ready(running))]
    a: Service,
    #[service(image = "b", setup(exec = "a", key = String::from("v1")), setup(exec = "a", key = Some("v1")), ready(running))]
    b: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
