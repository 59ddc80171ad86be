//! Malformed sizes.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", memory = "512x", shm_size = "", tmpfs("/tmp" = "much"), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
