//! Unknown services in placeholders.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "mariadb:10.11", port = 3306)]
    database: Service,
    #[service(image = "app", env(URL = "mysql://{databse}/shop"), ready(exec = "check {cache}"))]
    app: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
