//! Keys of other tools, and keys of another attribute.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(environment(A = "1"), cmd = "serve", depends_on(db), log = "ready", image = "a", ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
