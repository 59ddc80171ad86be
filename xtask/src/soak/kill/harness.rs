//! The tests that these soaks run, under either harness: how a run of them is started, which of its processes run tests, and
//! whether they passed.
//!
//! It kills nothing.

use std::collections::BTreeSet;
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};

use super::super::package::PACKAGE;
use super::super::process::Process;
use super::super::round::Round;
use crate::steps::Steps;
use crate::workspace;

/// The test executables that are run, and their tests.
const EXECUTABLES: [&str; 2] = ["port", "starboard"];
const TESTS: [&str; 3] = ["a", "b", "c"];

/// A service that all share.
pub(super) const SHARED: &str = "flagship";

/// Who runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harness {
    Nextest,
    Cargo,
}

impl Harness {
    fn command(self) -> Command {
        let mut command = workspace::cargo();
        match self {
            Self::Nextest => command.args(["nextest", "run"]),
            Self::Cargo => command.arg("test"),
        };
        command.args(["--offline", "--package", PACKAGE]);
        for executable in EXECUTABLES {
            command.args(["--test", executable]);
        }
        command
    }
}

/// Builds the tests as both harnesses do.
pub(super) fn build(steps: &mut Steps) -> Result<()> {
    for harness in [Harness::Cargo, Harness::Nextest] {
        let mut build = harness.command();
        build.arg("--no-run");
        steps.command(&format!("build for {harness:?}"), &mut build)?;
    }
    Ok(())
}

/// Starts a run of the tests as one of the round.
pub(super) fn start(round: &Round, harness: Harness) -> Result<Child> {
    let mut command = harness.command();
    match harness {
        Harness::Nextest => {
            command.args(["--run-ignored", "only", "--test-threads", "4"]);
        }
        Harness::Cargo => {
            command.args(["--no-fail-fast", "--", "--ignored"]);
        }
    }
    round.prepare(&mut command)?;
    command.spawn().context("cannot run cargo")
}

/// A process that runs tests, and which.
pub(super) fn test_process(process: &Process) -> Option<(Process, Vec<String>)> {
    let executable = process.test_executable()?;
    let tests = match process.test() {
        Some(test) => vec![test.to_owned()],
        None => tests_of(executable).collect(),
    };
    Some((process.clone(), tests))
}

fn tests_of(executable: &str) -> impl Iterator<Item = String> {
    TESTS.iter().map(move |test| format!("{executable}_{test}"))
}

/// Fails where a test has not passed, of those that are not named here.
pub(super) fn check_passed(round: &Round, but: &BTreeSet<String>) -> Result<()> {
    let passed = round.records("passed-");
    let all = EXECUTABLES
        .iter()
        .flat_map(|executable| tests_of(executable));
    let missing: Vec<String> = all
        .filter(|test| !but.contains(test) && !passed.contains(test))
        .collect();
    ensure!(missing.is_empty(), "did not pass: {}", missing.join(" "));
    Ok(())
}
