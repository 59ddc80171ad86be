//! `cargo xtask soak network`: how many networks get stuck, on an engine that is thrown away afterwards.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::options::{Options, Seed};
use crate::daemon::{self, Daemon};
use crate::steps::Steps;
use crate::{images, workspace};

/// The test that provokes it.
const TEST: &str = "engine::docker::tests::engine_soak::network";

/// Rounds, where no number is given.
const ROUNDS: u32 = 200;

/// As many as there are subnets for.
const MOST_ROUNDS: u32 = 4096;

/// What the last line of the test begins with.
const FIGURE: &str = "stuck: ";

/// The bridge of the machine's engine, which must not notice any of this.
const BRIDGE: &str = "/sys/class/net/docker0";

/// `cargo xtask soak network`: prints how many networks got stuck without the lock and with it, and fails where any
/// did with it.
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
    let [without, with] = result?;
    println!(
        "\nnetworks that got stuck in {rounds} rounds:\n  \
         without the lock: {without}\n  \
         with the lock:    {with}"
    );
    ensure!(with == 0, "{with} networks got stuck with the lock");
    Ok(())
}

/// The counts without and with the lock.
fn network(rounds: u32, steps: &mut Steps) -> Result<[u32; 2]> {
    // Building takes a minute, so this comes first.
    daemon::check_machine()?;
    let mut build = test();
    steps.command("build", build.arg("--no-run"))?;
    let mut counts = [0; 2];
    for (lock, name) in ["without the lock", "with the lock"]
        .into_iter()
        .enumerate()
    {
        steps.check(name, || {
            // A new one each time: networks that are stuck stay, and slow it down.
            let daemon = Daemon::like_the_machines("soak")?;
            let counted = soak(&daemon, rounds, lock);
            daemon.end()?;
            counts[lock] = counted?;
            Ok(())
        })?;
    }
    Ok(counts)
}

/// Runs the test and returns its figure.
fn soak(daemon: &Daemon, rounds: u32, lock: usize) -> Result<u32> {
    let api = daemon.api();
    images::ensure_tools(&api)?;
    let mut test = test();
    test.args(["--", "--ignored", "--exact", "--nocapture", TEST])
        .env("DOCKER_HOST", api.address.to_string())
        .env("SEATRIAL_SOAK_ROUNDS", rounds.to_string())
        .env("SEATRIAL_SOAK_LOCK", lock.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
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

fn test() -> Command {
    let mut test = workspace::cargo();
    test.args(["test", "--package", "seatrial", "--lib"]);
    test
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
