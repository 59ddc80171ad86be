//! Variables of a setup function, which has no environment of its own.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", setup(with = seed, env(A = "1")), ready(running))]
    db: Service,
}

#[allow(dead_code)]
async fn seed(_: &Service) -> Result<(), String> {
    Ok(())
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
