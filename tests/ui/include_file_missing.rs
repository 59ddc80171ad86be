//! An included file that does not exist.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", files("/seed.sql" = include_file!("sed.sql"), "/b" = include_file!(5), "/c" = include_str!("seed.sql")), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
