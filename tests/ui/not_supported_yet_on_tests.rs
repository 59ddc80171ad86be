//! Keys and attributes of later versions, on tests.

use seatrial::Service;

#[seatrial::test(image = "debian:bookworm-slim")]
fn in_an_image() {}

#[seatrial::test]
fn with_a_job(#[job(image = "node:20")] _job: Service) {}
