//! Fields without `#[service(..)]`.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(running))]
    a: Service,
    cache: Service,
    name: String,
    several: Vec<Service>,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
