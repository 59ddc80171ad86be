//! Files below mounts: they would be written to this machine, or be hidden.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", mount("src" = "/out", mode = rw), files("/out/precious" = "x"), ready(running))]
    mount: Service,

    #[service(image = "a", mount("src" = "/out/"), files("/out//./deep/x" = "x", "/outer" = "x"), ready(running))]
    spelling: Service,

    #[service(image = "a", files("/workspace/app.conf" = include_file!("seed.sql")), ready(running))]
    tree: Service,

    #[service(image = "a", source(at = "/src"), files("/src/a" = "x", "/workspace/a" = "x"), ready(running))]
    moved: Service,

    #[service(image = "a", tmpfs("/tmp"), files("/tmp/a" = "x"), ready(running))]
    tmpfs: Service,

    #[service(image = "a", volume("/v"), mount("src" = "/v/m"), files("/v/m/a" = "x", "/v/a" = "x"), ready(running))]
    innermost: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
