//! A field with `#[service(..)]` whose type is not a service.

use seatrial::Composition;

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(running))]
    a: String,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
