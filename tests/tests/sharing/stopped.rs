//! A service of the run that a test has stopped, and the next test, in another process.

use seatrial::{Composition, ErrorKind, Service};
use seatrial_tests::child;

#[derive(Composition)]
#[composition(scope = run)]
struct Shared {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sh", "-c", "trap 'echo ended by TERM; exit' TERM; echo ready; while :; do sleep 0.1; done"],
        ready(log = "ready"),
    )]
    server: Service,
}

#[seatrial::test]
#[ignore = "run by `the_next_process_is_told_that_a_shared_service_was_stopped`"]
fn stops_it(shared: Shared) {
    shared.server.stop().wait().expect("it stops");
    let verdict = child::run(&mut child::test("stopped::is_told"));
    assert!(verdict.passed, "{verdict:?}");
    // Whoever has it can make it right again.
    shared.server.start().wait().expect("it starts");
    let verdict = child::run(child::test("stopped::finds_it_again").arg("--nocapture"));
    assert!(verdict.passed, "{verdict:?}");
    assert!(verdict.stdout.contains(shared.server.id()), "{verdict:?}");
}

#[test]
#[ignore = "run by `stops_it`"]
fn is_told() {
    let error = Shared::launch()
        .wait()
        .map(drop)
        .expect_err("it is stopped");
    assert_eq!(error.kind(), ErrorKind::Exited);
    assert_eq!(error.service(), Some("server"));
    assert_eq!(
        error.log_lines().last().map(String::as_str),
        Some("ended by TERM")
    );
    let text = error.to_string();
    for part in [
        "a test before this one may have changed that",
        "`#[composition(scope = test)]`",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[seatrial::test]
#[ignore = "run by `stops_it`"]
fn finds_it_again(shared: Shared) {
    // Only a test that fails has its output shown; the harness has no other word for it.
    println!("{}", shared.server.id());
}

#[test]
fn the_next_process_is_told_that_a_shared_service_was_stopped() {
    // A run of its own, so that what it shares goes when the first of its processes has ended.
    let run = format!("stopped-{}", std::process::id());
    let verdict = child::run(child::test("stopped::stops_it").env("SEATRIAL_RUN_ID", run));
    assert!(verdict.passed, "{verdict:?}");
}
