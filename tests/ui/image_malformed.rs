//! Malformed image references.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "Redis:7", ready(running))]
    upper: Service,
    #[service(image = "redis:", ready(running))]
    tag: Service,
    #[service(image = "", ready(running))]
    empty: Service,
    #[service(bin = "shop", base = "debian@sha256:0", ready(running))]
    base: Service,
    #[service(image = "a", ready(image = "a b", run = "true"))]
    probe: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
