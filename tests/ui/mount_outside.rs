//! Mounts of paths outside of the workspace.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", mount("../../.." = "/host"), mount("/etc" = "/host/etc", "" = "/empty"), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
