//! A time to live of services that are not kept.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(scope = run)]
struct Shop {
    #[service(image = "a", keep = "2h", ready(running))]
    of_the_compositions_scope: Service,
    #[service(image = "b", scope = test, keep = "2h", ready(running))]
    of_its_own_scope: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}

#[seatrial::test]
fn on_a_parameter(#[service(image = "c", keep = "2h", ready(running))] _c: Service) {}
