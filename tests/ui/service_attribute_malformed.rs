//! Malformed and duplicate `#[service(..)]`.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service]
    bare: Service,
    #[service = "redis:7"]
    text: Service,
    #[service(image = "a", ready(running))]
    #[service(port = 80)]
    two: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
