//! Fields with a reserved name or host name.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(running))]
    source: Service,
    #[service(image = "a", ready(running))]
    localhost: Service,
    #[service(image = "a", ready(running))]
    ip6_loopback: Service,
    #[service(image = "a", ready(running))]
    _0x7f000001: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop, #[service(image = "a", ready(running))] localhost: Service) {
    drop(localhost);
}
