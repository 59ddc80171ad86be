//! Types that are not services or compositions, beside other mistakes.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", prot = 80)]
    a: Service,
    #[service(image = "b", ready(running))]
    optional: Option<Service>,
    #[service(image = "c", ready(running))]
    name: String,
    lacks_its_attribute: u16,
}

#[derive(Composition)]
struct Generic<T> {
    #[service(image = "a", ready(running))]
    a: T,
}

#[seatrial::test(timeut = "30s")]
async fn of_a_test(
    #[service(image = "d", ready(running))] d: Option<Service>,
    #[service(image = "e", ready(running))] e: Service,
    count: usize,
    shop: Shop,
) {
    drop((d, e, count, shop));
}

#[seatrial::test]
fn of_types_that_only_a_signature_can_have(#[service(image = "f", ready(running))] f: &Service, any: impl Sized) {}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
