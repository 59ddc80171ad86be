//! A parameter with a scope that all tests must agree on.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "redis:7", port = 6379)]
    cache: Service,
}

#[seatrial::test]
async fn shares(#[composition(scope = binary)] shop: Shop) {
    drop(shop);
}

#[seatrial::test]
fn keeps(#[composition(scope = keep)] _: Shop) {}
