//! Binaries of other packages: cargo builds them when a test first needs them, under `cargo test` and `cargo nextest run`.
//!
//! That a binary was built for the test run, and not before, is known from the binary: a variable of the run is compiled into it.

use std::process::Command;

use seatrial::Service;
use seatrial_tests::{cargo, child};

/// What the binary is compiled with.
const RUN: &str = "SEATRIAL_TESTS_BUOY";

/// What is tested, with `--workspace` as CI builds it: then cargo has nothing to build but what has changed.
const TARGETS: [&str; 4] = ["--workspace", "--lib", "--test", "binaries"];

#[seatrial::test]
#[ignore = "run by the tests below"]
fn built_on_demand_for_an_integration_test(
    #[service(bin(package = "seatrial-buoy", name = "buoy"), ready(log = "afloat"))] buoy: Service,
) {
    let run = std::env::var(RUN).expect("the other test says which");
    let log = buoy.logs().wait().expect("it runs");
    assert_eq!(log.trim(), format!("afloat for {run}"));
}

/// Runs cargo with a binary that is built for this run alone. What it says, and whether it has succeeded.
#[track_caller]
fn run(mut command: Command, run: &str) -> (String, bool) {
    child::leave_run(&mut command);
    command.env(RUN, run).env("CARGO_TERM_COLOR", "never");
    let output = command.output().expect("cargo runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (text, output.status.success())
}

/// The two tests, each in an executable of its own.
fn cargo_test() -> Command {
    let mut command = cargo::cargo();
    command.arg("test").args(TARGETS).arg("--no-fail-fast");
    command.args(["--", "--ignored", "built_on_demand"]);
    command
}

/// As [`cargo_test`], each test in a process; `None` where nextest is not installed and need not be.
fn nextest() -> Option<Command> {
    let mut command = cargo::nextest()?;
    command.args(TARGETS);
    command.args(["--run-ignored", "only", "--retries", "0"]);
    command.args(["--filterset", "test(built_on_demand)"]);
    Some(command)
}

/// The name of a run that there was never before.
fn fresh(name: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("it is after 1970").as_nanos();
    format!("{name}-{now}")
}

#[track_caller]
fn assert_said(text: &str, part: &str, count: usize) {
    assert_eq!(text.matches(part).count(), count, "`{part}` in:\n{text}");
}

#[test]
fn two_executables_of_a_run_have_a_binary_built_once() {
    let (text, passed) = run(cargo_test(), &fresh("test"));
    assert!(passed, "{text}");
    assert_said(&text, "test result: ok. 1 passed", 2);
    assert_said(&text, "seatrial: compiling buoy ...", 1);
    assert_said(&text, "seatrial: buoy |    Compiling seatrial-buoy v", 1);
    assert_said(&text, "seatrial: compiled buoy in ", 1);
}

#[test]
fn processes_of_single_tests_share_a_binary_too() {
    let Some(nextest) = nextest() else { return };
    let (text, passed) = run(nextest, &fresh("nextest"));
    assert!(passed, "{text}");
    assert_said(&text, "2 tests run: 2 passed", 1);
}

#[test]
fn a_binary_that_cannot_be_compiled_is_told_with_the_compilers_message() {
    let (text, passed) = run(cargo_test(), "broken");
    assert!(!passed, "{text}");
    assert_said(&text, "test result: FAILED. 0 passed; 1 failed", 2);
    // The failure holds for the run: the second executable is told without another attempt.
    assert_said(&text, "seatrial: compiling buoy ...", 1);
    assert!(text.contains("the buoy is broken"), "{text}");
    for composition in [
        "built_on_demand_for_a_unit_test",
        "built_on_demand_for_an_integration_test",
    ] {
        let what = format!(
            "service `buoy` of `{composition}`: cannot build the binary `buoy` of the package `seatrial-buoy`: cargo ended with exit status: 101\n"
        );
        assert_said(&text, &what, 1);
    }
    for part in ["  error[E0080]: ", "  help: `cargo build --manifest-path "] {
        assert_said(&text, part, 2);
    }
}
