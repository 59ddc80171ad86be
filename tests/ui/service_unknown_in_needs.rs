//! An unknown service in `needs(..)`.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "mariadb:10.11", ready(running))]
    database: Service,
    #[service(image = "app", needs(databse), ready(running))]
    app: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
