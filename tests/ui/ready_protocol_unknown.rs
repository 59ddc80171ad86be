//! Protocols by names of other tools, and unknown protocols.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "postgres:15", port = 5432, ready(pg))]
    a: Service,
    #[service(image = "postgres:15", port = 5432, ready(postgresql = 5432))]
    b: Service,
    #[service(image = "mariadb:10.11", port = 3306, ready(mariadb))]
    c: Service,
    #[service(image = "rabbitmq:3.10", port = 5672, ready(rabbitmq))]
    d: Service,
    #[service(image = "redis:7", port = 6379, ready(reddis))]
    e: Service,
    #[service(image = "mongo:7", port = 27017, ready(mongo))]
    f: Service,
    #[service(image = "team/db", port = 80, ready(gopher))]
    g: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
