//! Keys of other tools, with and without typos, and keys of another attribute.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(environment(A = "1"), cmd = "serve", depends_on(db), log = "ready", image = "a", ready(running))]
    db: Service,
    #[service(
        image = "b",
        enviroment(LEVEL = "debug"),
        wait_for(log = "ready to serve", times = 2),
        conatiner_name = "app",
        dependsOn = ["db"],
    )]
    app: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
