//! Unknown services in placeholders.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "mariadb:10.11", port = 3306)]
    database: Service,
    #[service(image = "app", env(URL = "mysql://{databse}/shop"), ready(exec = "check {cache}"))]
    app: Service,
}

#[derive(Composition)]
struct Cache {
    #[service(image = "redis:7", port = 6379)]
    r: Service,
    #[service(image = "app", env(MEMORY = "{mem.host}", QUEUE = "{q.port}"), ready(running))]
    app: Service,
}

#[derive(Composition)]
struct Alone {
    #[service(image = "app", needs(queue), env(CACHE = "{cache}"), ready(running))]
    app: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
