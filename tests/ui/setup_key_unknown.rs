//! Unknown keys of setups, some of them from other tools.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", setup(exce = "a"), setup(cmd = "a"), setup(fn = seed), setup(hook = seed), setup(exec = "a", sql = "b"), setup(exec = "a", exec = "b"), setups(exec = "a"), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
