//! Hooks that are not an `async fn(&Service) -> Result<(), _>`.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(with = seeded))]
    a: Service,
}

async fn seeded(_: &str) -> Result<(), std::fmt::Error> {
    Ok(())
}

#[derive(Composition)]
struct Other {
    #[service(image = "a", ready(with = returns_nothing))]
    a: Service,
}

async fn returns_nothing(_: &Service) {}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
