//! Image references that are none.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "Redis:7")]
    upper: Service,
    #[service(image = "redis:")]
    tag: Service,
    #[service(image = "")]
    empty: Service,
    #[service(bin = "shop", base = "debian@sha256:0")]
    base: Service,
    #[service(image = "a", ready(image = "a b", run = "true"))]
    probe: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
