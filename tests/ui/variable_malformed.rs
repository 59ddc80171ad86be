//! Malformed variables of the environment, and images that they make invalid.

use seatrial::{Composition, Service};

const TAG: &str = "17";

#[derive(Composition)]
struct Shop {
    #[service(image = "a", env(DIGIT = "{$1X}", OPEN = "{$X", SHELL = "${X:-1}", NONE = "${HOME}"), ready(running))]
    texts: Service,
    #[service(image = "a", env(BRACE = "{$X:-{texts}}", OPERATOR = "{$X:?unset}"), ready(running))]
    defaults: Service,
    #[service(image = "postgres:{$X:-a b}", ready(running))]
    misfit: Service,
    #[service(image = "postgres:{texts}", ready(running))]
    another: Service,
    #[service(image = "postgres:{$1X}", ready(running))]
    name: Service,
    #[service(image = "postgres:{$X", ready(running))]
    open: Service,
    #[service(image = "postgres:${TAG:-17}", ready(running))]
    shell: Service,
    #[service(image = "postgres:$TAG", ready(running))]
    dollar: Service,
    #[service(image = "Postgres:{$TAG}", ready(running))]
    whatever: Service,
    #[service(image = concat!("postgres:", env!("POSTGRES_VERSION")), ready(running))]
    computed: Service,
    #[service(bin = "worker", base = TAG, ready(image = env!("PROBE"), run = "true"))]
    constant: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
