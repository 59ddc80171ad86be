//! The states of a service: what moves it from one to another, and what it tells of them.

use std::time::{Duration, Instant};

use seatrial::Service;

/// A bound on what must not take as long as the engine's own patience, 10 seconds.
const SOON: Duration = Duration::from_secs(9);

#[seatrial::test]
async fn a_service_is_stopped_with_the_patience_that_is_asked_for(
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"],
        ready(log = "deaf")
    )]
    deaf: Service,
) -> Result<(), seatrial::Error> {
    let begun = Instant::now();
    deaf.stop_within(Duration::from_millis(1100)).await?;
    let took = begun.elapsed();
    // A part of a second counts as a whole one.
    assert!(took >= Duration::from_secs(2) && took < SOON, "{took:?}");
    // To stop what is stopped changes nothing.
    deaf.stop_within(Duration::MAX).await
}

#[seatrial::test]
fn a_service_is_stopped_at_once_without_patience(
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"],
        ready(log = "deaf")
    )]
    deaf: Service,
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,
) -> Result<(), seatrial::Error> {
    let begun = Instant::now();
    deaf.stop_within(Duration::ZERO).wait()?;
    // One that ends when it is asked to is not waited for any longer.
    server.stop_within(Duration::MAX).wait()?;
    server.wait_log("ended by TERM").wait()?;
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    deaf.start().wait()
}
