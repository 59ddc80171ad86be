//! `cargo xtask soak kill`: kills any process of a run, and runs as a whole, at any moment.
//!
//! What a test process has to itself must go when the process is killed, while the run goes on; and everything of a run
//! when the run is over, whatever was killed of it. Where the supervisor was, the next run on the machine removes it.

pub(super) mod beside;
mod many;
mod one;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::next;
use super::options::{Options, Seed};
use super::package::{self, PACKAGE};
use super::process::Process;
use super::random::{self, Random};
use super::report::figures;
use super::round::Round;
use crate::api::Api;
use crate::steps::Steps;
use crate::{images, install, workspace};

/// Rounds of each kind, where no number is given.
const ROUNDS: u32 = 50;
const MOST_ROUNDS: u32 = 10_000;

/// What was held by what is killed must be gone so soon.
const WITHIN: Duration = Duration::from_secs(5);

/// How long it takes roughly, from the first test process on, until there is a supervisor.
const SUPERVISOR_BEGINS: Duration = Duration::from_millis(100);
/// And until its shared services are ready.
const SERVICES_BEGIN: Duration = Duration::from_millis(1500);

/// The test executables that are run, and their tests.
const EXECUTABLES: [&str; 2] = ["port", "starboard"];
/// That of the next run on the machine.
const NEXT: &str = "next";
const TESTS: [&str; 3] = ["a", "b", "c"];

/// What tests have to themselves.
const OWN: &str = "Crew";
/// A service that all share.
const SHARED: &str = "flagship";

/// Who runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harness {
    Nextest,
    Cargo,
}

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    /// One test process.
    One,
    /// cargo or nextest, while its tests go on.
    Runner,
    /// The run's supervisor.
    Supervisor,
    /// All processes of the run but its supervisor.
    AllOthers,
    /// All processes of the run.
    Everything,
}

/// In the order in which rounds choose them.
const VICTIMS: [Victim; 5] = [
    Victim::One,
    Victim::Runner,
    Victim::Supervisor,
    Victim::AllOthers,
    Victim::Everything,
];

/// What there is to say of all rounds with the same victim.
#[derive(Default)]
struct Tally {
    killed: u32,
    /// The run was over before.
    too_late: u32,
    took: Vec<Duration>,
    stuck: u32,
    unswept: u32,
    failures: Vec<String>,
}

/// `cargo xtask soak kill`: prints how long it took until all was gone, and fails where anything stayed longer than
/// it may.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Prepared {
        rounds,
        seed,
        api,
        mut steps,
        next_run,
    } = prepare(arguments)?;
    // How long the tests take here and now, from the first test process on.
    let cargo = steps.check("cargo test", || undisturbed(&api, Harness::Cargo))?;
    let nextest = steps.check("nextest", || undisturbed(&api, Harness::Nextest))?;
    let mut all = VICTIMS.map(|_| Tally::default());
    for number in 1..=rounds {
        let mut random = Random::of_round(seed, number);
        let harness = match random.coin() {
            true => Harness::Nextest,
            false => Harness::Cargo,
        };
        let length = match harness {
            Harness::Cargo => cargo,
            Harness::Nextest => nextest,
        };
        let victim = usize::try_from(number - 1)? % VICTIMS.len();
        let plan = Plan {
            harness,
            victim: VICTIMS[victim],
            after: moment(&mut random, length),
        };
        let tally = &mut all[victim];
        play(&api, &next_run, number, &plan, &mut random, tally)?;
    }
    println!("\n{}\n\nseed {seed}, {} rounds:", steps.summary(), rounds);
    let mut failed = 0;
    for (tally, victim) in all.iter().zip(VICTIMS) {
        println!("  {victim:?}: {}", tally.words());
        for failure in &tally.failures {
            println!("    {failure}");
        }
        failed += tally.failures.len();
    }
    ensure!(
        failed == 0,
        "{failed} rounds failed; `--seed {seed}` repeats them"
    );
    Ok(())
}

/// What both of these soaks begin with.
struct Prepared {
    rounds: u32,
    seed: u64,
    api: Api,
    steps: Steps,
    next_run: PathBuf,
}

fn prepare(arguments: &[String]) -> Result<Prepared> {
    let options = Options::read(arguments, ROUNDS, MOST_ROUNDS, Seed::Taken)?;
    let seed = options.seed.unwrap_or_else(random::seed);
    let api = install::engine()?.api;
    images::ensure_tools(&api)?;
    let mut steps = Steps::new();
    build(&mut steps)?;
    let next_run = steps.check("build the next run", || package::build(NEXT))?;
    println!("\nseed: {seed}");
    Ok(Prepared {
        rounds: options.rounds,
        seed,
        api,
        steps,
        next_run,
    })
}

/// Builds the tests as both harnesses do.
fn build(steps: &mut Steps) -> Result<()> {
    for harness in [Harness::Cargo, Harness::Nextest] {
        let mut build = harness.command();
        build.arg("--no-run");
        steps.command(&format!("build for {harness:?}"), &mut build)?;
    }
    Ok(())
}

/// When to kill in tests that take so long. Also after the last of them; and every other time soon, for most that can go
/// wrong does while the supervisor, then the network and the shared services begin.
fn moment(random: &mut Random, length: Duration) -> Duration {
    match random.below(4) {
        0 => random.duration(SUPERVISOR_BEGINS),
        1 => random.duration(SERVICES_BEGIN),
        _ => random.duration(length.mul_f64(1.05)),
    }
}

/// A round to be.
#[derive(Debug)]
struct Plan {
    harness: Harness,
    victim: Victim,
    /// When it is killed, counted from the first test process.
    after: Duration,
}

/// Plays a round, and tells of it.
fn play(
    api: &Api,
    next_run: &Path,
    number: u32,
    plan: &Plan,
    random: &mut Random,
    tally: &mut Tally,
) -> Result<()> {
    let round = Round::new("kill", number)?;
    let mut told = Vec::new();
    let outcome = match plan.victim {
        Victim::One => one::play(api, &round, plan, random, &mut told),
        _ => many::play(api, &round, plan, random, &mut told),
    };
    // Nobody is left who would remove it.
    let outcome = outcome.and_then(|gone| match gone {
        Some(gone) if gone.unswept => {
            told.push("left to the next run".to_owned());
            tally.unswept += 1;
            next::gone(api, &round, next_run, WITHIN, |_| ()).map(Some)
        }
        gone => Ok(gone),
    });
    let head = format!(
        "round {number}, {:?} under {:?} after {:.2?}",
        plan.victim, plan.harness, plan.after
    );
    let failure = match outcome {
        Ok(Some(gone)) => {
            tally.killed += 1;
            tally.stuck += gone.stuck;
            tally.took.push(gone.took);
            told.push(format!("gone after {:.2?}", gone.took));
            gone.late
                .map(|late| format!("not gone within {WITHIN:?}: {late}"))
        }
        Ok(None) => {
            tally.too_late += 1;
            told.push("the tests were over".to_owned());
            None
        }
        Err(error) => Some(format!("{error:#}")),
    };
    let told = told.join(", ");
    match failure {
        None => {
            println!("{head}: {told}");
            round.remove();
        }
        Some(failure) => {
            println!("{head}: {told}: FAILED: {failure}\n{}", round.story());
            // Nobody waits for what still runs.
            round.kill_all();
            tally.failures.push(format!("{head}: {told}: {failure}"));
        }
    }
    Ok(())
}

/// Runs the tests to their end, which must be good, and tells how long they took.
fn undisturbed(api: &Api, harness: Harness) -> Result<Duration> {
    let round = Round::new("kill", u32::from(harness == Harness::Cargo))?;
    let took = undisturbed_in(&round, api, harness).with_context(|| round.story())?;
    round.remove();
    Ok(took)
}

fn undisturbed_in(round: &Round, api: &Api, harness: Harness) -> Result<Duration> {
    let mut run = start(round, harness)?;
    let is_there = |all: &[_]| all.iter().find_map(test_process).map(drop);
    let began = round.until(&mut run, is_there)?;
    ensure!(began.is_some(), "no test process was seen");
    let began = Instant::now();
    let status = round.ended(&mut run)?;
    let took = began.elapsed();
    ensure!(status.success(), "the tests failed: {status}");
    one::check_passed(round, &BTreeSet::new())?;
    let gone = round.gone(api, Instant::now(), WITHIN, || round.left(api))?;
    ensure!(!gone.unswept, "left to the next run");
    if let Some(late) = gone.late {
        bail!("left after {WITHIN:?}: {late}");
    }
    Ok(took)
}

fn start(round: &Round, harness: Harness) -> Result<Child> {
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

/// A process that runs tests, and which.
fn test_process(process: &Process) -> Option<(Process, Vec<String>)> {
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

impl Tally {
    fn words(&self) -> String {
        let mut words = format!(
            "killed {}, over before {}, failed {}; until all was gone: {}",
            self.killed,
            self.too_late,
            self.failures.len(),
            figures(&self.took)
        );
        if self.stuck > 0 {
            words += &format!("; networks stuck by the engine's defect: {}", self.stuck);
        }
        if self.unswept > 0 {
            words += &format!("; left to the next run: {}", self.unswept);
        }
        words
    }
}
