//! Unknown keys that are close to a known one.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(imge = "a", prot = 80, ready(htp = "/", status = 200))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
