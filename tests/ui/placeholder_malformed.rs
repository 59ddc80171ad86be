//! Malformed placeholders.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", env(OPEN = "{db", CLOSE = "db}", EMPTY = "{}", JSON = r#"{"a": 1}"#), ready(running))]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
