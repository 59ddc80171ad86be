//! Placeholders with unknown parts.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", port = 80)]
    a: Service,
    #[service(image = "b", source(none), env(ADDRESS = "{a.address}", URL = "{a.url}", SOURCE = "{source}"), ready(running))]
    b: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
