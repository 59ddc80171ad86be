//! Types that cannot be a composition.

use seatrial::{Composition, Service};

#[derive(Composition)]
enum Choice {
    A,
}

#[derive(Composition)]
union Bits {
    a: u32,
}

#[derive(Composition)]
struct Tuple(Service);

#[derive(Composition)]
struct Unit;

#[derive(Composition)]
struct Generic<'a, T> {
    #[service(image = "a", ready(running))]
    a: &'a T,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Choice, _: Bits, _: Tuple, _: Unit, _: Generic<'static, Service>) {}
