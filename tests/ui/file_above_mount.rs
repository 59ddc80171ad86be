//! Files at paths that must be directories, as something is mounted below.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", mount("src" = "/data/code"), files("/data" = "x"), ready(running))]
    mount: Service,

    #[service(image = "a", volume("/data/db"), files("/data" = "x", "/dat" = "x"), ready(running))]
    volume: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
