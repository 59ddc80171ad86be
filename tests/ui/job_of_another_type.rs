//! A job and a service have handles of their own.

use seatrial::{Composition, Job, Service};

#[derive(Composition)]
struct Shop {
    #[job(image = "a")]
    migrate: Service,
    #[service(image = "b", ready(running))]
    app: Job,
}

#[seatrial::test]
fn on_a_parameter(#[job(image = "a")] _migrate: Service) {}
