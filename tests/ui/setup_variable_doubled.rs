//! A duplicate variable in one setup; each setup has its own variables.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", setup(exec = "a", env(A = "1", A = "2")), setup(exec = "b", env(A = "3")), env(A = "4"), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
