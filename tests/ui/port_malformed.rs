//! Malformed ports. Services that name them cause no further errors.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", port = 70000, ready(http = "/"))]
    a: Service,
    #[service(image = "b", ports(0, metrics = 9187, 9187, metrics = 1, -1))]
    b: Service,
    #[service(image = "c", port = "80", env(A = "{a}", B = "{b}"))]
    c: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
