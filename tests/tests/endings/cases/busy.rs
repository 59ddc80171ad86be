//! Tests that do something when they are ended, or that others go on beside.

use seatrial::{Composition, Service};
use seatrial_tests::engine;
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
    let exec = fleet.app.exec(["/bin/sh", "-c", watch]).spawn();
    begun.wait().expect("the command runs");
    fleet.record();
    let output = exec.wait();
    unreachable!("{:?}", output.expect("a command can be run"));
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn in_a_wait_for_a_line(fleet: Fleet) {
    let logged = fleet.app.wait_log("never");
    fleet.record();
    let line = logged.wait();
    unreachable!("{:?}", line.expect("a line"));
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
    #[service(image = "debian:bookworm-slim", entrypoint = ["/bin/sleep", "infinity"], ready(running))]
    pier: Service,
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sleep", "infinity"],
        needs(pier),
        scope = test,
        ready(running),
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

/// Has two setups, of which the first fails where something was done to its volume before, and the second tells the driver
/// that it is half done and goes on as soon as it is told to.
#[derive(Composition)]
#[composition(scope = run)]
struct Shipyard {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sleep", "infinity"],
        volume(slip = "/slip"),
        setup(exec = "test ! -e /slip/ship && echo keel >/slip/ship"),
        setup(with = build),
        ready(running),
    )]
    dock: Service,
    /// Nobody waits for it, and it waits for nobody: the driver sees by it that a launch has begun.
    #[service(image = "debian:bookworm-slim", entrypoint = ["/bin/sleep", "infinity"], scope = test, ready(running))]
    crane: Service,
}

async fn build(dock: &Service) -> Result<(), seatrial::Error> {
    dock.exec(["sh", "-c", "echo hull >>/slip/ship"]).await?;
    let (volumes, _) = engine::volumes_and_addresses(dock.id());
    record(&json!({ "pid": std::process::id(), "dock": dock.id(), "volumes": volumes }));
    wait_until_told();
    dock.exec(["sh", "-c", "echo mast >>/slip/ship"]).await?;
    Ok(())
}

/// Passes if all was done to its service, and nothing twice.
#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn has_a_whole_ship(shipyard: Shipyard) {
    let output = shipyard.dock.exec(["cat", "/slip/ship"]).wait();
    assert_eq!(output.expect("it can be read").stdout, "keel\nhull\nmast\n");
    let output = shipyard.crane.exec(["true"]).wait();
    assert!(output.expect("it runs").success());
}
