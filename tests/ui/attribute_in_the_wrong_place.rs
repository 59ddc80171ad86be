//! Attributes in places where they have no effect.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[service(scope = binary)]
struct Shop {
    #[composition(scope = test)]
    #[service(image = "a", ready(running))]
    a: Service,
    #[composition(scope = run)]
    b: Service,
}

#[seatrial::test]
#[composition(scope = test)]
#[service(image = "a", ready(running))]
fn the_function_is_compiled(_: Shop) {}
