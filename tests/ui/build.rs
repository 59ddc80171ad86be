//! Images that are built: what cannot be built.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(build = "missing", port = 1)]
    no_directory: Service,
    #[service(build = "src", port = 1)]
    no_dockerfile: Service,
    #[service(build = "seed.sql", port = 1)]
    a_file: Service,
    #[service(build = "../..", port = 1)]
    outside: Service,
    #[service(build(context = "docker", dockerfile = "Containerfile"), port = 1)]
    another_dockerfile: Service,
    #[service(build(context = "docker", dockerfile = "../seed.sql"), port = 1)]
    not_in_the_context: Service,
    #[service(build(context = "docker", target = "runtim"), port = 1)]
    misspelt_target: Service,
    #[service(build(context = "docker", target = "2"), port = 1)]
    no_such_stage: Service,
    #[service(build(context = "docker", args(VERSIN = 1, "A B" = 2, VERSION = 3, VERSION = 4)), port = 1)]
    arguments: Service,
    #[service(build(context = "docker", args(VERSION = "{arguments}", BASE = "{$BASE", FLAVOR)), port = 1)]
    placeholders: Service,
    #[service(build(target = "runtime"), port = 1)]
    no_context: Service,
    #[service(build(contxt = "docker"), port = 1)]
    misspelt_key: Service,
    #[service(build(path = "docker", build_args(VERSION = 1)), port = 1)]
    keys_of_others: Service,
    #[service(build, port = 1)]
    nothing: Service,
    #[service(build("docker"), port = 1)]
    no_key: Service,
    #[service(build = DIRECTORY, port = 1)]
    constant: Service,
    #[service(dockerfile = "docker/Dockerfile", port = 1)]
    no_build: Service,
    #[service(image = "redis:7", build = "docker", port = 1)]
    two_origins: Service,
    #[service(build = "docker", base = "debian:bookworm-slim", port = 1)]
    base: Service,
}

const DIRECTORY: &str = "docker";

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
