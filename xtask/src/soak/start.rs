//! `cargo xtask soak start`: many processes ask for the same composition at the same moment. It must be started once, and
//! each must have it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::crowd::Crowd;
use super::options::{Options, Seed};
use super::package;
use super::report::figures;
use super::round::Round;
use crate::api::Api;
use crate::leftovers::Kind;
use crate::steps::Steps;
use crate::{images, install};

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
    let executable = steps.check("build", || package::build(EXECUTABLE))?;
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
                failures.push(round.fail(&format!("round {number}"), &error));
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

fn play(api: &Api, round: &Round, executable: &Path, stuck: &mut u32) -> Result<Times> {
    let crowd = Crowd::gather(round, executable, TEST, PROCESSES)?;
    let begun = Instant::now();
    let mut crowd = crowd.begin();
    crowd.wait_for(round, "ready-")?;
    let ready = begun.elapsed();
    check_one(api, round)?;
    crowd.end(round)?;
    let gone = round.gone(api, Instant::now(), WITHIN, || round.left(api))?;
    *stuck += gone.stuck;
    match gone.late {
        None => Ok(Times {
            ready,
            gone: gone.took,
        }),
        Some(late) => bail!("left after {WITHIN:?}: {late}"),
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
