//! Host names that the container resolves already, beside valid ones.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", port = 80, hosts("a.1.example" = "192.0.2.1", "10" = "192.0.2.1", "a.0x1" = "192.0.2.1"))]
    user_db: Service,
    #[service(image = "b", hosts(localhost = "192.0.2.1", app = "192.0.2.1", "User-DB" = "192.0.2.1", other = "192.0.2.1"), needs(user_db), ready(running))]
    app: Service,
    #[service(image = "c", hosts("user-db" = "192.0.2.1"), ready(running))]
    other: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
