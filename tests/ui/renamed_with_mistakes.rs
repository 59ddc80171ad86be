//! Mistakes with a runtime of another name: nothing refers to its own name.

use trial::{Composition, Service};

#[derive(Composition)]
#[composition(crate = trial)]
struct Shop {
    #[service(image = "Redis", ready(running))]
    cache: Service,
    #[service(imge = "redis:7")]
    other: Service,
}

#[trial::test(crate = trial)]
fn the_test_is_not_blamed(_: Shop) {}

#[trial::test(crate = "trial")]
fn a_path_is_no_text() {}
