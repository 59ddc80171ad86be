//! Keys and attributes of later versions, on tests.

#[seatrial::test(image = "debian:bookworm-slim")]
fn in_an_image() {}
