//! Malformed options of a test.

#[seatrial::test(timout = "30s")]
fn unknown() {}

#[seatrial::test(timeout = 30)]
fn malformed() {}

#[seatrial::test(timeout = "0s")]
fn zero() {}

#[seatrial::test(runtime = "multithread")]
async fn runtime() {}

#[seatrial::test(runtime = "multi_thread")]
fn plain() {}

#[seatrial::test]
#[test]
fn twice() {}
