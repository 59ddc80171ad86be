//! Services without a port and without a check.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "debian:bookworm-slim", command = "sh -c 'exit 1'")]
    app: Service,
    #[service(image = "redis:7", ready(timeout = "1m"))]
    cache: Service,
    #[service(image = "debian:bookworm-slim", ready(running))]
    fine: Service,
}

#[seatrial::test]
fn of_a_parameter(#[service(image = "redis:7")] _: Service) {}
