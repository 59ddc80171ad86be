//! Malformed values in setups, many at once.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", setup = "psql", setup, setup("psql"), ready(running))]
    a: Service,
    #[service(image = "b", setup(exec = 1), setup(exec = ""), setup(exec = "psql '"), setup(exec = ["psql", 1]), ready(running))]
    b: Service,
    #[service(image = "c", setup(image = "Flyway", run = "a"), setup(image = flyway, run = []), ready(running))]
    c: Service,
    #[service(image = "d", setup(with = "seed"), setup(with = |service| async { Ok(()) }), setup(with), ready(running))]
    d: Service,
    #[service(image = "e", setup(exec = "e", name = "", timeout = "2", env(A, "B C" = "1", D = [1])), ready(running))]
    e: Service,
    #[service(image = "f", setup(exec = "f", name = "two\nlines", timeout = 2, env = "A=1", key("v1")), ready(running))]
    f: Service,
    #[service(image = "g", setup(exec = "{x}"), setup(image = "a", run = "{f}"), setup(exec = "g", env(A = "{")), ready(running))]
    g: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
