//! Duplicate attributes and keys on a parameter.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "redis:7", port = 6379)]
    cache: Service,
}

#[seatrial::test]
fn two_attributes(
    #[composition(scope = test)]
    #[composition(scope = test)]
    _shop: Shop,
) {
}

#[seatrial::test]
fn two_keys(#[composition(scope = test, scope = test)] _shop: Shop) {}
