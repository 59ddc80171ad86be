//! A key that `#[composition(..)]` on a parameter does not have.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "redis:7", port = 6379)]
    cache: Service,
}

#[seatrial::test]
fn misspelt(#[composition(scop = test)] _shop: Shop) {}

#[seatrial::test]
fn of_a_service(#[composition(port = 6379)] _shop: Shop) {}
