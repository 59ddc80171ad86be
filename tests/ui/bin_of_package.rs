//! Binaries of named packages: what is not there, and what is not said.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(bin(package = "serve"), port = 1)]
    misspelt_package: Service,
    #[service(bin(package = "mailer"), port = 1)]
    no_such_package: Service,
    #[service(bin(package = "server", name = "migrat"), port = 1)]
    misspelt_binary: Service,
    #[service(bin(package = "server", name = "worker"), port = 1)]
    no_such_binary: Service,
    #[service(bin(package = "tools"), port = 1)]
    of_another_name: Service,
    #[service(bin(package = "renamed"), port = 1)]
    no_binary: Service,
    #[service(bin(name = "worker"), port = 1)]
    no_package: Service,
    #[service(bin(), port = 1)]
    nothing_in_it: Service,
    #[service(bin(pakage = "server"), port = 1)]
    misspelt_key: Service,
    #[service(bin(crate = "server", target = "migrate"), port = 1)]
    keys_of_others: Service,
    #[service(bin("server"), port = 1)]
    no_key: Service,
    #[service(bin, port = 1)]
    nothing: Service,
    #[service(bin(package = PACKAGE), port = 1)]
    constant: Service,
    #[service(bin = "shop", bin(package = "server"), port = 1)]
    both_forms: Service,
    #[service(image = "redis:7", bin(package = "server"), port = 1)]
    two_origins: Service,
}

const PACKAGE: &str = "server";

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
