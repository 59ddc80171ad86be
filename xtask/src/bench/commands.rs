//! `fifty`: all tests of a package, by the commands that users type.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::process;
use super::report::Measured;
use super::sample::Contender;
use super::workshop::Workshop;

/// The tests' executable, and how many pass says the harness in these words.
const TEST: &str = "fifty";
const ALL_PASSED: &str = "50 passed";

/// A command of cargo's, as its case is called.
struct Harness {
    case: &'static str,
    words: &'static [&'static str],
}

const HARNESSES: [Harness; 2] = [
    Harness {
        case: "cargo test",
        words: &["test"],
    },
    Harness {
        case: "cargo nextest run",
        words: &["nextest", "run"],
    },
];

/// Fails where nextest is not installed: nothing is measured then.
///
/// # Errors
///
/// Where it is not.
pub(super) fn check(workshop: &Workshop) -> Result<()> {
    let mut version = workshop.cargo();
    version.args(["nextest", "--version"]).stdin(Stdio::null());
    let is_installed = version.output().is_ok_and(|it| it.status.success());
    ensure!(
        is_installed,
        "`{TEST}` needs cargo-nextest: run `cargo install cargo-nextest --locked`, or name other scenarios"
    );
    Ok(())
}

/// Runs each command once for a contender; `settle` waits for the end of what ran before.
///
/// # Errors
///
/// Where a test fails.
pub(super) fn measure(
    workshop: &Workshop,
    contender: Contender,
    measured: &mut Measured,
    mut settle: impl FnMut() -> Result<()>,
) -> Result<()> {
    for harness in HARNESSES {
        settle()?;
        let mut command = command(workshop, contender, &harness);
        let begun = Instant::now();
        let finished = process::run(&mut command)?;
        let took = begun.elapsed();
        finished
            .output
            .contains(ALL_PASSED)
            .then_some(())
            .with_context(|| format!("not all tests were run:\n{}", finished.output))?;
        measured.add(harness.case, contender, took.as_secs_f64())?;
    }
    Ok(())
}

fn command(workshop: &Workshop, contender: Contender, harness: &Harness) -> Command {
    let mut command = workshop.cargo();
    command.args(harness.words);
    command.args(["--locked", "--offline"]);
    command.args(["--package", &contender.package(), "--test", TEST]);
    command
}
