//! `build`: the crates that a test needs, and how long a clean debug build of it takes, by the clock and by the processor.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::process;
use super::report::Measured;
use super::sample::Contender;
use super::workshop::Workshop;
use crate::workspace;

/// The test that is built.
const TEST: &str = "order_book";

/// Counts and builds once for a contender.
///
/// # Errors
///
/// Where cargo fails.
pub(super) fn measure(
    workshop: &Workshop,
    contender: Contender,
    measured: &mut Measured,
) -> Result<()> {
    let mut tree = cargo(workshop, contender)?;
    tree.arg("tree").args(selection(contender));
    tree.args(["--locked", "--offline", "--edges", "normal,build,dev"]);
    tree.args(["--prefix", "none", "--format", "{p}"]);
    let crates = crates(&process::run(&mut tree)?.output);
    #[expect(clippy::cast_precision_loss, reason = "there are hundreds")]
    measured.add("crates", contender, crates as f64)?;

    let target = workshop.target(&format!("clean-{}", contender.key()));
    remove(&target)?;
    let mut build = cargo(workshop, contender)?;
    build.arg("test").args(selection(contender));
    build.args([
        "--locked",
        "--offline",
        "--no-run",
        "--quiet",
        "--test",
        TEST,
    ]);
    build.env("CARGO_TARGET_DIR", &target);
    let (begun, used) = (Instant::now(), used_by_children());
    process::run(&mut build)?;
    let (took, used) = (begun.elapsed(), used_by_children() - used);
    measured.add("clean build", contender, took.as_secs_f64())?;
    measured.add("processor time", contender, used.as_secs_f64())?;
    remove(&target)
}

/// Cargo in the workspace of the contender's tests.
fn cargo(workshop: &Workshop, contender: Contender) -> Result<Command> {
    let mut cargo = workshop.cargo();
    match contender {
        Contender::Seatrial => cargo.current_dir(workspace::root()),
        Contender::Testcontainers => &mut cargo,
        Contender::Floor => bail!("nothing is built for {}", contender.name()),
    };
    Ok(cargo)
}

fn selection(contender: Contender) -> [&'static str; 2] {
    match contender {
        Contender::Seatrial => ["--package", "source-to-mysql"],
        _ => ["--package", "startup-order-book"],
    }
}

/// How many crates there are in what `cargo tree` says; two versions of one are two.
fn crates(tree: &str) -> usize {
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)"));
    lines
        .filter(|it| !it.is_empty())
        .collect::<BTreeSet<_>>()
        .len()
}

fn remove(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)
            .with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    Ok(())
}

/// The processor time of all processes that have ended below this one.
fn used_by_children() -> Duration {
    // SAFETY: all fields are numbers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes one value to the place that it is given.
    let failed = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    assert_eq!(failed, 0, "the system says what its processes have used");
    [usage.ru_utime, usage.ru_stime]
        .map(|it| {
            let seconds = u64::try_from(it.tv_sec).unwrap_or(0);
            Duration::from_secs(seconds)
                + Duration::from_micros(u64::try_from(it.tv_usec).unwrap_or(0))
        })
        .iter()
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_of_a_crate_counts_once() {
        let tree = "boat v0.1.0 (/work/boat)\nsail v1.0.0\nmast v2.0.0\nsail v1.0.0 (*)\nsail v2.0.0\n\nmast v2.0.0\n";
        assert_eq!(crates(tree), 4);
    }
}
