//! Ports that the named service does not declare.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ports(80, metrics = 9187))]
    a: Service,
    #[service(image = "b", env(METRICS = "{a.host}:{a.port.metric}"), ready(tcp = 81))]
    b: Service,
    #[service(image = "c", port = 80, ready(http = "/", port = admin))]
    c: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
