//! The same endings under `cargo test` and `cargo nextest`.

use std::process::{Command, Stdio};

use libc::{SIGINT, SIGTERM};

use crate::run::{Run, rounds};

/// Nextest's own limit for a test, short enough to be met.
const SLOW: &str = "\
[profile.default]
slow-timeout = { period = \"1s\", terminate-after = 1, grace-period = \"60s\" }
";

fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// A case under `cargo test`. With `--workspace`, as CI runs it: then everything is built already.
fn test(case: &str) -> Run {
    let mut run = Run::new(cargo());
    run.command
        .args(["test", "--workspace", "--test", "endings", "--"]);
    run.command
        .args(["--ignored", "--exact", &format!("cases::{case}")]);
    run
}

/// A case under `cargo nextest`; `None` where that is not installed.
fn nextest(case: &str) -> Option<Run> {
    let mut version = cargo();
    version
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: cargo-nextest is not installed");
        return None;
    }
    let mut run = Run::new(cargo());
    run.command
        .args(["nextest", "run", "--workspace", "--test", "endings"]);
    run.command.args([
        "--run-ignored",
        "only",
        "--filterset",
        &format!("test(=cases::{case})"),
    ]);
    // What this project's own profile asks for is not the matter here.
    let config = run.path("nextest.toml");
    std::fs::write(&config, "").expect("a configuration");
    run.command.arg("--config-file").arg(config);
    Some(run)
}

#[test]
fn cargo_test_leaves_nothing() {
    rounds(|| {
        test("passes")
            .end()
            .exited(0)
            .had_services()
            .said("1 passed");
        let ended = test("returns_an_error").end().exited(101).had_services();
        ended.said_once("the ship is not on the chart");
        test("panics")
            .end()
            .exited(101)
            .had_services()
            .said("the mast is broken");
        test("times_out")
            .end()
            .exited(101)
            .had_services()
            .said("test timed out");
    });
}

#[test]
fn cargo_test_that_is_interrupted_leaves_nothing() {
    rounds(|| {
        for (signal, name) in [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")] {
            let mut run = test("works").spawn();
            run.until_recorded();
            run.signal_group(signal);
            let ended = run.end().was_ended_by(signal).had_services();
            ended
                .said_once(&format!("seatrial: {name}: removing"))
                .did_not_say("panicked");
        }
    });
}

#[test]
fn nextest_leaves_nothing() {
    rounds(|| {
        for (case, code, said) in [
            ("passes", 0, "1 test run: 1 passed"),
            ("returns_an_error", 100, "the ship is not on the chart"),
            ("panics", 100, "the mast is broken"),
            ("times_out", 100, "test timed out"),
        ] {
            let Some(run) = nextest(case) else { return };
            let ended = run.end().exited(code).had_services();
            // A process or a pipe of ours that outlives the test.
            ended.said(said).did_not_say("LEAK");
        }
    });
}

#[test]
fn nextest_that_is_interrupted_leaves_nothing() {
    rounds(|| {
        for signal in [SIGINT, SIGTERM] {
            let Some(run) = nextest("works") else { return };
            let mut run = run.spawn();
            run.until_recorded();
            run.signal_group(signal);
            let ended = run.end().exited(100).had_services();
            ended
                .said("Cancelling due to")
                .did_not_say("panicked")
                .did_not_say("LEAK");
        }
    });
}

#[test]
fn nextest_that_ends_a_slow_test_leaves_nothing() {
    rounds(|| {
        let Some(run) = nextest("works") else { return };
        std::fs::write(run.path("nextest.toml"), SLOW).expect("a configuration");
        let ended = run.end().exited(100);
        ended
            .said("TIMEOUT")
            .said("seatrial: SIGTERM: removing")
            .did_not_say("panicked")
            .did_not_say("LEAK");
    });
}
