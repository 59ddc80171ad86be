//! `cargo xtask soak start`: many processes ask for the same composition at the same moment. It must be started once, and
//! each must have it.

use std::io::{self, BufRead, BufReader};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::kill::PACKAGE;
use super::round::{PACE, Round};
use super::{Options, Seed, figures};
use crate::api::Api;
use crate::leftovers::Kind;
use crate::steps::Steps;
use crate::{images, install, workspace};

/// Rounds, where no number is given.
const ROUNDS: u32 = 50;
const MOST_ROUNDS: u32 = 10_000;

/// How many processes there are in a round.
const PROCESSES: usize = 64;

/// The test that each of them runs, and its executable.
const TEST: &str = "launches_with_others";
const EXECUTABLE: &str = "start";

/// The services of the composition.
const SERVICES: [&str; 2] = ["flagship", "tender"];

/// How soon everything must be gone after the last process has ended.
const WITHIN: Duration = Duration::from_secs(5);

/// What was measured in a round.
struct Times {
    /// Until all had the composition.
    ready: Duration,
    /// From the end of the last process until nothing was left.
    gone: Duration,
}

/// `cargo xtask soak start`: prints how long it took, and fails where a composition was started more than once, or a
/// process did not get it, or anything was left.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments, ROUNDS, MOST_ROUNDS, Seed::Refused)?;
    let api = install::engine()?.api;
    images::ensure_tools(&api)?;
    let mut steps = Steps::new();
    let executable = steps.check("build", build)?;
    let mut times = Vec::new();
    let mut failures = Vec::new();
    let mut stuck = 0;
    for number in 1..=options.rounds {
        let round = Round::new("start", number)?;
        match play(&api, &round, &executable, &mut stuck) {
            Ok(took) => {
                println!(
                    "round {number}: {PROCESSES} processes had it after {:.2?}; gone after {:.2?}",
                    took.ready, took.gone
                );
                times.push(took);
                round.remove();
            }
            Err(error) => {
                println!("round {number}: FAILED: {error:#}\n{}", round.story());
                round.kill_all();
                failures.push(format!("round {number}: {error:#}"));
            }
        }
    }
    let ready: Vec<Duration> = times.iter().map(|it| it.ready).collect();
    let gone: Vec<Duration> = times.iter().map(|it| it.gone).collect();
    println!(
        "\n{PROCESSES} processes at once, {} rounds, {} failed\n  until all had it: {}\n  until all was gone: {}",
        options.rounds,
        failures.len(),
        figures(&ready),
        figures(&gone)
    );
    if stuck > 0 {
        println!("  networks stuck by the engine's defect: {stuck}");
    }
    for failure in &failures {
        println!("  {failure}");
    }
    ensure!(failures.is_empty(), "{} rounds failed", failures.len());
    Ok(())
}

/// Builds the test executable and tells where it is.
fn build() -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--offline", "--package", PACKAGE]);
    cargo.args(["--test", EXECUTABLE, "--no-run"]);
    cargo.arg("--message-format=json-render-diagnostics");
    let mut running = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let mut executable = None;
    for line in BufReader::new(running.stdout.take().expect("it is piped")).lines() {
        let message: Value = serde_json::from_str(&line?).unwrap_or_default();
        let path = message["executable"].as_str().map(PathBuf::from);
        executable = path.or(executable);
    }
    let status = running.wait()?;
    ensure!(status.success(), "cargo ended with {status}");
    executable.context("cargo names no executable")
}

fn play(api: &Api, round: &Round, executable: &PathBuf, stuck: &mut u32) -> Result<Times> {
    let (start, held_until_start) = io::pipe()?;
    let (end, held_until_end) = io::pipe()?;
    let mut processes = Vec::new();
    for _ in 0..PROCESSES {
        let mut command = Command::new(executable);
        command.args([TEST, "--exact", "--ignored"]);
        round.prepare(&mut command)?;
        command
            // Whoever opens that has another descriptor of the pipe.
            .env(
                "SOAK_END",
                format!("/proc/{}/fd/{}", std::process::id(), end.as_raw_fd()),
            )
            .stdin(start.try_clone()?);
        processes.push(command.spawn().context("cannot run the test executable")?);
    }
    wait_for_all(round, "waiting-", &mut processes)?;
    let begun = Instant::now();
    drop(held_until_start);
    wait_for_all(round, "ready-", &mut processes)?;
    let ready = begun.elapsed();
    check_one(api, round)?;
    drop(held_until_end);
    let mut failed = 0;
    for process in &mut processes {
        failed += usize::from(!round.ended(process)?.success());
    }
    let ended = Instant::now();
    ensure!(failed == 0, "{failed} processes failed");
    let gone = round.gone(api, ended, WITHIN, || round.left(api))?;
    *stuck += gone.stuck;
    match gone.late {
        None => Ok(Times {
            ready,
            gone: gone.took,
        }),
        Some(late) => bail!("left after {WITHIN:?}: {late}"),
    }
}

/// Waits until every process has written its record.
fn wait_for_all(round: &Round, prefix: &str, processes: &mut [Child]) -> Result<()> {
    let begun = Instant::now();
    loop {
        let count = round.records(prefix).len();
        if count == PROCESSES {
            return Ok(());
        }
        for process in processes.iter_mut() {
            if let Some(status) = process.try_wait()? {
                bail!("a process ended with {status} when {count} had written `{prefix}..`");
            }
        }
        round.check_time(begun)?;
        thread::sleep(PACE);
    }
}

/// One instance of each service, known to all processes by the same id.
fn check_one(api: &Api, round: &Round) -> Result<()> {
    let records = round.records("ready-");
    let mut ids = Vec::new();
    for process in &records {
        ids.push(round.record(&format!("ready-{process}"))?);
    }
    ids.sort_unstable();
    ids.dedup();
    ensure!(
        ids.len() == 1,
        "the processes have different instances: {ids:?}"
    );
    for service in SERVICES {
        let created = round.count(service, "created")?;
        ensure!(created == 1, "`{service}` was created {created} times");
    }
    let all = round.labelled(api)?;
    let containers = all.iter().filter(|it| it.kind == Kind::Container).count();
    ensure!(
        containers == SERVICES.len(),
        "the engine has {containers} containers of the run"
    );
    let networks = all.iter().filter(|it| it.kind == Kind::Network).count();
    ensure!(
        networks == 1,
        "the engine has {networks} networks of the run"
    );
    Ok(())
}
