//! Placeholders and checks that need one port, of services that have several or none.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ports(80, metrics = 9187), ready(http = "/"))]
    several: Service,
    #[service(image = "b", ready(running))]
    none: Service,
    #[service(image = "c", env(SEVERAL = "{several}", NONE = "{none}"), ready(running))]
    c: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
