//! What tests of later versions have.

use seatrial::Service;

#[seatrial::test(image = "debian:bookworm-slim")]
fn in_an_image() {}

#[seatrial::test]
fn with_a_job(#[job(image = "node:20")] _job: Service) {}
