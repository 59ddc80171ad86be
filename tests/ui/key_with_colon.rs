//! `:` instead of `=`.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image: "redis:7", port: 6379)]
    cache: Service,
    #[service(image = "b", needs: [cache], env(LEVEL: "debug", "log.level": "debug"), ready(log: "up"))]
    app: Service,
}

#[seatrial::test(timeout: "30s")]
fn the_test_is_not_blamed(_: Shop) {}
