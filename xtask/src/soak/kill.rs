//! `cargo xtask soak kill`: kills test processes, and runs as a whole, at any moment.
//!
//! What a test process has to itself must go when the process is killed, while the run goes on; and everything of a run
//! when all of it is killed.

use std::collections::BTreeSet;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::left::{Gone, Left};
use super::process::Process;
use super::random::{self, Random};
use super::round::{PACE, Round};
use super::{Options, Seed, figures};
use crate::api::Api;
use crate::leftovers::Kind;
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

/// The package that is run, its test executables, and their tests.
pub(super) const PACKAGE: &str = "seatrial-soak";
const EXECUTABLES: [&str; 2] = ["port", "starboard"];
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
    /// All processes of the run but its supervisor.
    All,
}

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
    let options = Options::read(arguments, ROUNDS, MOST_ROUNDS, Seed::Taken)?;
    let seed = options.seed.unwrap_or_else(random::seed);
    let api = install::engine()?.api;
    images::ensure_tools(&api)?;
    let mut steps = Steps::new();
    for harness in [Harness::Cargo, Harness::Nextest] {
        let mut build = harness.command();
        build.arg("--no-run");
        steps.command(&format!("build for {harness:?}"), &mut build)?;
    }
    println!("\nseed: {seed}");
    // How long the tests take here and now, from the first test process on.
    let cargo = steps.check("cargo test", || undisturbed(&api, Harness::Cargo))?;
    let nextest = steps.check("nextest", || undisturbed(&api, Harness::Nextest))?;
    let mut all = [Tally::default(), Tally::default()];
    for number in 1..=options.rounds {
        for (victim, tally) in [Victim::One, Victim::All].into_iter().zip(&mut all) {
            let mut random = Random::of_round(seed, 2 * number + u32::from(victim == Victim::All));
            let harness = match random.coin() {
                true => Harness::Nextest,
                false => Harness::Cargo,
            };
            let length = if harness == Harness::Cargo {
                cargo
            } else {
                nextest
            };
            let plan = Plan {
                harness,
                victim,
                after: moment(&mut random, length),
            };
            play(&api, number, &plan, &mut random, tally)?;
        }
    }
    println!(
        "\n{}\n\nseed {seed}, {} rounds:",
        steps.summary(),
        options.rounds
    );
    let mut failed = 0;
    for (tally, what) in all.iter().zip(["one test process", "the whole run"]) {
        println!("  {what}: {}", tally.words());
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
fn play(api: &Api, number: u32, plan: &Plan, random: &mut Random, tally: &mut Tally) -> Result<()> {
    let round = Round::new("kill", 2 * number + u32::from(plan.victim == Victim::All))?;
    let mut told = Vec::new();
    let outcome = match plan.victim {
        Victim::One => kill_one(api, &round, plan, random, &mut told),
        Victim::All => kill_all(api, &round, plan, random, &mut told),
    };
    let head = format!(
        "round {number}, {:?} under {:?} after {:.2?}",
        plan.victim, plan.harness, plan.after
    );
    let failure = match outcome {
        Ok(Some(gone)) => {
            tally.killed += 1;
            tally.stuck += gone.stuck;
            tally.unswept += u32::from(gone.unswept);
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
    check_passed(round, &BTreeSet::new())?;
    let gone = round.gone(api, Instant::now(), WITHIN, || round.left(api))?;
    if let Some(late) = gone.late {
        bail!("left after {WITHIN:?}: {late}");
    }
    Ok(took)
}

/// Kills one test process. What it had must go while the run goes on, and the others' tests must pass.
fn kill_one(
    api: &Api,
    round: &Round,
    plan: &Plan,
    random: &mut Random,
    told: &mut Vec<String>,
) -> Result<Option<Gone>> {
    let mut run = start(round, plan.harness)?;
    let candidates = |all: &[Process]| {
        let mut them: Vec<_> = all.iter().filter_map(test_process).collect();
        them.sort_unstable_by_key(|(process, _)| process.id);
        (!them.is_empty()).then_some(them)
    };
    if round.until(&mut run, candidates)?.is_some() {
        thread::sleep(plan.after);
    }
    // Between two processes, the next is waited for.
    let Some(mut alive) = round.until(&mut run, candidates)? else {
        finish(round, api, &mut run, &BTreeSet::new())?;
        return Ok(None);
    };
    let (process, tests) = alive.swap_remove(random.below(alive.len()));
    process.kill(round);
    let killed = Instant::now();
    let count = alive.len() + 1;
    told.push(format!(
        "killed {}, of {count} test processes",
        tests.join(" ")
    ));
    let tests: BTreeSet<String> = tests.into_iter().collect();
    let of_killed = |left: &Left| {
        let name = left.label("test").rsplit("::").next().unwrap_or_default();
        left.kind == Kind::Container && left.label("composition") == OWN && tests.contains(name)
    };
    let left = || {
        let mut left = round.labelled(api)?;
        left.retain(of_killed);
        Ok(left)
    };
    let mut gone = round.gone(api, killed, WITHIN, left)?;
    // What was just being created comes later.
    while killed.elapsed() < WITHIN && run.try_wait()?.is_none() {
        if !left()?.is_empty() {
            gone = round.gone(api, killed, WITHIN, left)?;
        }
        thread::sleep(PACE);
    }
    finish(round, api, &mut run, &tests)?;
    Ok(Some(gone))
}

/// Waits for the end of a run of which one process was killed. All tests but that process's must pass, on the one
/// shared instance, and nothing may be left.
fn finish(round: &Round, api: &Api, run: &mut Child, killed: &BTreeSet<String>) -> Result<()> {
    round.ended(run)?;
    let ended = Instant::now();
    check_passed(round, killed)?;
    let created = round.count(SHARED, "created")?;
    ensure!(
        created == 1,
        "the shared service was created {created} times"
    );
    let gone = round.gone(api, ended, WITHIN, || round.left(api))?;
    match gone.late {
        None => Ok(()),
        Some(late) => bail!("left after {WITHIN:?} since the end of the run: {late}"),
    }
}

fn check_passed(round: &Round, but: &BTreeSet<String>) -> Result<()> {
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

/// Kills the whole run. Everything must go.
fn kill_all(
    api: &Api,
    round: &Round,
    plan: &Plan,
    random: &mut Random,
    told: &mut Vec<String>,
) -> Result<Option<Gone>> {
    let mut run = start(round, plan.harness)?;
    let is_there = |all: &[_]| all.iter().find_map(test_process).map(drop);
    if round.until(&mut run, is_there)?.is_some() {
        thread::sleep(plan.after);
    }
    let was_over = run.try_wait()?.is_some();
    let mut processes = round.processes();
    processes.retain(|process| !process.is_supervisor());
    // From the runner down, or from the tests up.
    processes.sort_unstable_by_key(|process| process.id);
    let tests_first = random.coin();
    if tests_first {
        processes.reverse();
    }
    for process in &processes {
        process.kill(round);
    }
    // What they have started meanwhile.
    round.kill_all();
    let killed = Instant::now();
    run.wait()?;
    let order = if tests_first { "tests" } else { "runner" };
    told.push(format!(
        "killed {} processes, the {order} first",
        processes.len()
    ));
    let gone = round.gone(api, killed, WITHIN, || round.left(api))?;
    Ok((!was_over || gone.late.is_some()).then_some(gone))
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
            words += &format!(
                "; killed before a supervisor was started, so that an empty directory is left to be swept: {}",
                self.unswept
            );
        }
        words
    }
}
