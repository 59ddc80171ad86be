//! A directory in the place of a file, and a file in the place of a directory.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", files("/seed" = include_file!("src")), source(path = "seed.sql"), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
