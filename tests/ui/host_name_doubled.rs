//! Two services with one host name.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(running))]
    user_db: Service,
    #[service(image = "b", ready(running))]
    user_Db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
