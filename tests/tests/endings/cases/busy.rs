//! Tests that do something when they are ended, or that others go on beside.

use seatrial::{Composition, Service};
use serde_json::json;

use super::{Fleet, record, record_services, wait_for_the_end, wait_until_told};

/// Has a readiness check that tells the driver that it runs, and never ends.
#[derive(Composition)]
struct Moored {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sleep", "infinity"],
        volume("/anonymous", data = "/data"),
        ready(with = never_ready),
    )]
    boat: Service,
}

async fn never_ready(boat: &Service) -> Result<(), String> {
    record_services(&[boat]);
    std::future::pending().await
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn in_a_hook(moored: Moored) {
    unreachable!("{} is never ready", moored.boat.id());
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn in_an_exec(fleet: Fleet) {
    let begun = fleet.app.wait_log("the watch begins");
    // A container's log is what its first process writes.
    let watch = "echo the watch begins >/proc/1/fd/1; exec sleep infinity";
    let exec = fleet.app.exec(["/bin/sh", "-c", watch]);
    begun.wait().expect("the command runs");
    fleet.record();
    let output = exec.wait();
    unreachable!("{:?}", output.expect("a command can be run"));
}

/// Copies as soon as it is told to.
#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn in_a_copy(fleet: Fleet) {
    fleet.record();
    wait_until_told();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let copied = fleet.app.copy_in(file, "/manifest");
    copied.wait().expect("a file can be copied");
    wait_for_the_end();
}

/// Uses its services as soon as it is told to, and records that they were there.
#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn is_served_when_told(fleet: Fleet) {
    fleet.record();
    wait_until_told();
    for service in [&fleet.db, &fleet.echo, &fleet.app] {
        let output = service.exec(["true"]).wait().expect("it still runs");
        assert_eq!(output.code, 0);
    }
    record(&json!({ "served": true }));
}

#[derive(Composition)]
#[composition(scope = run)]
struct Harbour {
    #[service(image = "debian:bookworm-slim", entrypoint = ["/bin/sleep", "infinity"])]
    pier: Service,
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sleep", "infinity"],
        needs(pier),
        scope = test,
    )]
    boat: Service,
}

/// Passes as soon as it is told to, if its services are there.
#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn shares(harbour: Harbour) {
    record(&json!({
        "pid": std::process::id(),
        "pier": harbour.pier.id(),
        "boat": harbour.boat.id(),
    }));
    wait_until_told();
    for service in [&harbour.pier, &harbour.boat] {
        let output = service.exec(["true"]).wait().expect("it still runs");
        assert_eq!(output.code, 0);
    }
}
