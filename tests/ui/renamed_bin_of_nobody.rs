//! `bin` in an integration test of a package without a binary.

use trial::{Composition, Service};

#[derive(Composition)]
#[composition(crate = trial)]
struct Shop {
    #[service(bin = "shop", ready(running))]
    db: Service,
}

#[trial::test(crate = trial)]
fn the_test_is_not_blamed(_: Shop) {}
