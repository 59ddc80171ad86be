//! Functions that are not an `async fn(&Service) -> Result<(), _>`.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", setup(with = of_text), setup(with = returns_nothing), setup(with = returns_a_number), ready(running))]
    a: Service,
    #[service(image = "a", setup(with = not_async), setup(with = of_nothing), setup(with = missing), ready(running))]
    b: Service,
}

async fn of_text(_: &str) -> Result<(), String> {
    Ok(())
}

async fn returns_nothing(_: &Service) {}

async fn returns_a_number(_: &Service) -> Result<u8, String> {
    Ok(1)
}

fn not_async(_: &Service) -> Result<(), String> {
    Ok(())
}

async fn of_nothing() -> Result<(), String> {
    Ok(())
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
