//! `cargo xtask soak network`: how many networks get stuck, on an engine that is thrown away afterwards.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::options::{Options, Seed};
use crate::daemon::{self, Daemon};
use crate::steps::Steps;
use crate::{images, workspace};

/// What is counted: its name, the test that provokes it, and whether deletions wait for one another.
const COUNTS: [(&str, &str, bool); 3] = [
    ("without the lock", CHURN, false),
    ("with the lock", CHURN, true),
    ("of a run without the lock", RUN, false),
];

/// Containers with networks of their own, a new network in each round.
const CHURN: &str = "engine::docker::tests::engine_soak::network";

/// One run, whose services join namespaces that were prepared ahead. Ten start in each round.
const RUN: &str = "supervisor::tests::soak::network";

/// Rounds, where no number is given.
const ROUNDS: u32 = 200;

/// As many as there are subnets for.
const MOST_ROUNDS: u32 = 4096;

/// What has cargo run the tests.
const ARGUMENTS: [&str; 4] = ["test", "--package", "seatrial", "--lib"];

/// What the last line of the test begins with.
const FIGURE: &str = "stuck: ";

/// The bridge of the machine's engine, which must not notice any of this.
const BRIDGE: &str = "/sys/class/net/docker0";

/// `cargo xtask soak network`: prints how many networks got stuck without the lock, with it, and of a run without it, and
/// fails where any did that should not.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Options { rounds, .. } = Options::read(arguments, ROUNDS, MOST_ROUNDS, Seed::Refused)?;
    let bridge = Path::new(BRIDGE).exists();
    let mut steps = Steps::new();
    let result = network(rounds, &mut steps);
    println!("\n{}", steps.summary());
    ensure!(
        !bridge || Path::new(BRIDGE).exists(),
        "`docker0` of the machine's engine is gone; start that engine again"
    );
    let counts = result?;
    println!("\nnetworks that got stuck in {rounds} rounds:");
    for ((name, ..), count) in COUNTS.iter().zip(counts) {
        println!("  {name}: {count}");
    }
    let [_, with, of_run] = counts;
    ensure!(with == 0, "{with} networks got stuck with the lock");
    ensure!(of_run == 0, "the network of the run got stuck");
    Ok(())
}

fn network(rounds: u32, steps: &mut Steps) -> Result<[u32; COUNTS.len()]> {
    // Building takes a minute, so this comes first.
    daemon::check_machine()?;
    let mut build = workspace::cargo();
    steps.command("build", build.args(ARGUMENTS).arg("--no-run"))?;
    let mut counts = [0; COUNTS.len()];
    for ((name, test, lock), count) in COUNTS.into_iter().zip(&mut counts) {
        steps.check(name, || {
            // A new one each time: networks that are stuck stay, and slow it down.
            let daemon = Daemon::like_the_machines("soak")?;
            let counted = soak(&daemon, rounds, test, lock);
            daemon.end()?;
            *count = counted?;
            Ok(())
        })?;
    }
    Ok(counts)
}

/// Runs a test and returns its figure.
fn soak(daemon: &Daemon, rounds: u32, name: &str, lock: bool) -> Result<u32> {
    images::ensure_tools(&daemon.api())?;
    // The image is fetched or made here, as there is no way out from where the daemon is.
    played(test(daemon, 0, CHURN, lock, None))?;
    // A local engine's users see its processes, and only namespaces that they have looked into are used again.
    let beside = daemon.beside()?;
    played(test(daemon, rounds, name, lock, Some(&beside)))
}

/// Plays the rounds of a test, behind these words if there are any.
fn test(
    daemon: &Daemon,
    rounds: u32,
    name: &str,
    lock: bool,
    behind: Option<&[String]>,
) -> Command {
    let mut test = workspace::cargo();
    if let Some(words) = behind {
        // An array of strings looks the same in TOML and in Rust.
        test.args(["--config", &format!("target.'cfg(all())'.runner={words:?}")]);
    }
    test.args(ARGUMENTS);
    test.args(["--", "--ignored", "--exact", "--nocapture", name])
        .env("DOCKER_HOST", daemon.api().address.to_string())
        .env("SEATRIAL_SOAK_ROUNDS", rounds.to_string())
        .env("SEATRIAL_SOAK_LOCK", u8::from(lock).to_string());
    test
}

fn played(mut test: Command) -> Result<u32> {
    test.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut running = test.spawn().context("cannot run cargo")?;
    let mut figure = None;
    for line in BufReader::new(running.stdout.take().expect("it is piped")).lines() {
        let line = line.context("cannot read the test's output")?;
        println!("{line}");
        figure = stuck(&line).or(figure);
    }
    let status = running.wait().context("cannot wait for cargo")?;
    ensure!(status.success(), "the soak ended with {status}");
    figure.context("the test printed no figure")
}

/// The figure of `stuck: 3 of 200 networks`.
fn stuck(line: &str) -> Option<u32> {
    let (_, figure) = line.split_once(FIGURE)?;
    figure.split_once(" of ")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_is_read() {
        assert_eq!(stuck("stuck: 3 of 200 networks"), Some(3));
        assert_eq!(stuck("test soak ... stuck: 0 of 1 networks"), Some(0));
        assert_eq!(stuck("round 2 of 3: 5.0 s, 1 refused"), None);
    }
}
