//! Keys and attributes of later versions.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(compose = "docker-compose.yml")]
struct Shop {
    #[service(image = "b", url = "mysql://{self}", ready(running))]
    b: Service,
    #[compose]
    e: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
