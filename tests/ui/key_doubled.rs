//! Duplicate keys.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", image = "b", env(A = "1", "A" = "2"), ready(tcp, tcp), ports(80, 80), env(B = "1"))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
