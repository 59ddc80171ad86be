//! Malformed durations.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(tcp, timeout = "30", interval = "0s", delay = "soon"), port = 80)]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
