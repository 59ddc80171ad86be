//! The same endings under `cargo test` and `cargo nextest`.

use std::sync::Once;

use libc::{SIGINT, SIGKILL, SIGTERM};
use seatrial_tests::cargo;

use crate::processes;
use crate::run::{Run, rounds, until};

/// What this project's own profile asks for is not the matter here. What outlives a test is told of after a time that no
/// busy machine takes to see that a pipe is closed.
const PROFILE: &str = "\
[profile.default]
leak-timeout = \"10s\"
";

/// What is tested, with `--workspace` as CI builds it: then cargo has nothing to build but what has changed.
const TARGET: [&str; 3] = ["--workspace", "--test", "endings"];

/// Has everything built, however long it takes and whoever else builds: what a run is given is for its tests.
fn build() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut command = cargo::cargo();
        command.arg("test").args(TARGET).arg("--no-run");
        let output = command.output().expect("cargo runs");
        assert!(output.status.success(), "{output:#?}");
    });
}

/// A case under `cargo test`.
fn test(case: &str) -> Run {
    build();
    let mut run = Run::new(cargo::cargo());
    run.command.arg("test").args(TARGET);
    run.command
        .args(["--", "--ignored", "--exact", &format!("cases::{case}")]);
    run
}

/// A case under `cargo nextest`; `None` where that is not installed and need not be.
#[track_caller]
fn nextest(case: &str) -> Option<Run> {
    let mut command = cargo::nextest()?;
    command.args(TARGET);
    build();
    let mut run = Run::new(command);
    run.command.args([
        "--run-ignored",
        "only",
        "--filterset",
        &format!("test(=cases::{case})"),
    ]);
    let config = run.path("nextest.toml");
    std::fs::write(&config, PROFILE).expect("a configuration");
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
        Run::end_out_of_time(|| test("times_out"))
            .exited(101)
            .had_services()
            .said("test timed out");
    });
}

#[test]
fn cargo_test_that_is_interrupted_leaves_nothing() {
    rounds(|| {
        for signal in [SIGINT, SIGTERM] {
            let mut run = test("works").spawn();
            run.until_recorded();
            run.signal_group(signal);
            let ended = run.end().was_ended_by(signal).had_services();
            ended.did_not_say("seatrial:").did_not_say("panicked");
        }
    });
}

#[test]
fn nextest_leaves_nothing() {
    if cargo::nextest().is_none() {
        return;
    }
    rounds(|| {
        for (case, code, said) in [
            ("passes", 0, "1 test run: 1 passed"),
            ("returns_an_error", 100, "the ship is not on the chart"),
            ("panics", 100, "the mast is broken"),
            ("times_out", 100, "test timed out"),
        ] {
            let ended = Run::end_out_of_time(|| nextest(case).expect("it is installed"));
            let ended = ended.exited(code).had_services();
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
                .did_not_say("seatrial:")
                .did_not_say("panicked")
                .did_not_say("LEAK");
        }
    });
}

#[test]
fn nextest_that_ends_a_slow_test_leaves_nothing() {
    rounds(|| {
        // Nextest counts from the begin of the process: one that had no time for its services gets more.
        for period in [3, 9, 27, 81] {
            let Some(run) = nextest("works") else { return };
            let slow = format!(
                "slow-timeout = {{ period = \"{period}s\", terminate-after = 1, grace-period = \"60s\" }}\n"
            );
            let profile = format!("{PROFILE}{slow}");
            std::fs::write(run.path("nextest.toml"), profile).expect("a configuration");
            let ended = run.end().exited(100).said("TIMEOUT");
            if ended.has_recorded() {
                ended
                    .had_services()
                    .did_not_say("seatrial:")
                    .did_not_say("panicked")
                    .did_not_say("LEAK");
                return;
            }
        }
        panic!("its services were never ready");
    });
}

/// Kills everything of a run at once, but for its supervisor, which nobody who does so in earnest knows of.
#[track_caller]
fn is_killed(run: Run) {
    let mut run = run.spawn();
    run.until_recorded();
    for process in processes::others(&run.id) {
        processes::signal(processes::number(process), SIGKILL);
    }
    run.end().was_ended_by(SIGKILL).had_services();
}

#[test]
fn cargo_test_that_is_killed_leaves_nothing() {
    rounds(|| is_killed(test("works")));
}

#[test]
fn nextest_that_is_killed_leaves_nothing() {
    rounds(|| {
        if let Some(run) = nextest("works") {
            is_killed(run);
        }
    });
}

#[test]
fn a_test_that_survives_nextest_keeps_its_services_until_it_ends() {
    rounds(|| {
        let Some(run) = nextest("busy::is_served_when_told") else {
            return;
        };
        let mut run = run.spawn();
        run.until_recorded();
        run.signal_group(SIGKILL);
        run.until_gone();
        run.go();
        until("the test's own end", || {
            processes::others(&run.id).is_empty().then_some(())
        });
        let record = run.record_at("record").expect("a record");
        assert_eq!(record["served"], true, "{record:#}\n{}", run.output());
        run.end().was_ended_by(SIGKILL);
    });
}
