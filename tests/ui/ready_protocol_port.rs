//! Protocol checks on an undeclared port, or on one of several.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "postgres:15", ready(postgres))]
    without: Service,
    #[service(image = "team/db", ports(4000, admin = 4001), ready(postgres))]
    several: Service,
    #[service(image = "team/db", port = 5432, ready(postgres = 5433))]
    other: Service,
    #[service(image = "team/db", ports(sql = 5432), ready(postgres = sequel))]
    named: Service,
    #[service(image = "team/db", ports(5432, 9187), ready(postgres, port = 5432))]
    modified: Service,
    #[service(image = "team/db", port = 5432, ready(postgres("5432")))]
    listed: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
