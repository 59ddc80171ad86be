//! Malformed paths in a container.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", workdir = "app", tmpfs("tmp"), volume = "/", files("../etc" = "x"), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
