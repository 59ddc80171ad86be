//! Fields whose placeholder or host name would mean something else.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a")]
    source: Service,
    #[service(image = "a")]
    localhost: Service,
    #[service(image = "a")]
    ip6_loopback: Service,
    #[service(image = "a")]
    _0x7f000001: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop, #[service(image = "a")] localhost: Service) {
    drop(localhost);
}
