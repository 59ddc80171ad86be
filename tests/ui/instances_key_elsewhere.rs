//! Keys of the struct's `#[composition(..)]`, and of the test, on a parameter.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "redis:7", port = 6379)]
    cache: Service,
}

#[seatrial::test]
async fn without_source(#[composition(scope = test, source(none))] shop: Shop) {
    drop(shop);
}

#[seatrial::test]
fn kept(#[composition(keep = "2h")] _: Shop) {}

#[seatrial::test]
fn renamed(#[composition(crate = ::seatrial)] _: Shop) {}
