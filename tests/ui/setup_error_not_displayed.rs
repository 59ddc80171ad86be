//! Functions whose errors cannot be displayed.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(with = seeded), setup(with = seed))]
    a: Service,
}

struct Opaque;

async fn seeded(_: &Service) -> Result<(), Opaque> {
    Err(Opaque)
}

async fn seed(_: &Service) -> Result<(), ()> {
    Err(())
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
