//! `#[composition(..)]` on a parameter, empty or malformed.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "redis:7", port = 6379)]
    cache: Service,
}

#[seatrial::test]
fn bare(#[composition] _shop: Shop) {}

#[seatrial::test]
fn empty(#[composition()] _shop: Shop) {}

#[seatrial::test]
fn text(#[composition = "test"] _shop: Shop) {}

#[seatrial::test]
fn quoted(#[composition(scope = "test")] _shop: Shop) {}

#[seatrial::test]
fn misspelt(#[composition(scope = tests)] _shop: Shop) {}
