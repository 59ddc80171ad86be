//! `cargo xtask soak outage`: stops an engine of its own in the middle of a run, and starts it again.
//!
//! Every test that fails must say that the engine was the reason, the run must end, and nothing may be left on the engine or on
//! disk: removed by the run's supervisor or, where the engine came back too late for that, by the next run's.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::options::{Options, Seed};
use super::random::{self, Random};
use super::report::{figures, judge};
use super::round::Round;
use super::{next, package};
use crate::daemon::{self, Daemon, Stop};
use crate::images;
use crate::steps::Steps;

/// Rounds, where no number is given.
const ROUNDS: u32 = 10;
const MOST_ROUNDS: u32 = 1000;

/// The test executable, and its tests: each in a process of its own.
const EXECUTABLE: &str = "outage";
const TESTS: [&str; 4] = ["runs_commands", "follows_logs", "launches", "restarts"];

/// What the error of a test must have in it whose engine went away.
const REASON: &str = "the engine";

/// How soon everything must be gone, once the run is over and the engine answers, or the next run has begun.
const WITHIN: Duration = Duration::from_secs(5);

/// How long an engine stays away that comes back while the run's supervisor is still there, and how long one that does not.
const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(45);

/// `cargo xtask soak outage`
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments, ROUNDS, MOST_ROUNDS, Seed::Taken)?;
    let seed = options.seed.unwrap_or_else(random::seed);
    daemon::check_machine()?;
    let mut steps = Steps::new();
    let executable = steps.check("build", || package::build(EXECUTABLE))?;
    let next_run = steps.check("build the next run", || package::build("next"))?;
    println!("\nseed: {seed}");
    let mut soak = Soak {
        daemon: steps.check("start an engine", || Daemon::like_the_machines("outage"))?,
        executable,
        next_run,
    };
    images::ensure_tools(&soak.daemon.api())?;
    steps.check("make the image", || soak.make_image())?;
    let length = steps.check("undisturbed", || soak.undisturbed())?;
    let mut took = Vec::new();
    let mut failed_tests = 0;
    let mut by_next_run = 0;
    let mut failures = Vec::new();
    for number in 1..=options.rounds {
        let mut random = Random::of_round(seed, number);
        let plan = Plan::new(&mut random, length);
        let round = Round::new("outage", number + 1)?;
        match soak.play(&round, &plan) {
            Ok(played) => {
                println!("round {number}, {}: {}", plan.describe(), played.describe());
                took.push(played.gone_after);
                failed_tests += played.failed.len();
                by_next_run += u32::from(played.by_next_run);
                round.remove();
            }
            Err(error) => {
                let head = format!("round {number}, {}", plan.describe());
                failures.push(round.fail(&head, &error));
                if soak.daemon.api().ping().is_err() {
                    soak.daemon.start_again()?;
                }
            }
        }
    }
    soak.daemon.end()?;
    println!(
        "\n{}\n\nseed {seed}, {} rounds: {failed_tests} tests failed, each for the engine; {by_next_run} left to the next run; until all was \
         gone: {}",
        steps.summary(),
        options.rounds,
        figures(&took)
    );
    judge(&failures, seed)
}

/// A round to be.
struct Plan {
    /// When the engine stops, counted from the first test process.
    after: Duration,
    how: Stop,
    away: Duration,
}

/// What came of a round.
struct Played {
    /// The tests that failed, with what they said first.
    failed: Vec<(&'static str, String)>,
    by_next_run: bool,
    gone_after: Duration,
}

struct Soak {
    daemon: Daemon,
    executable: PathBuf,
    next_run: PathBuf,
}

impl Plan {
    fn new(random: &mut Random, length: Duration) -> Self {
        Self {
            after: random.duration(length.mul_f64(1.05)),
            how: match random.coin() {
                true => Stop::Asked,
                false => Stop::Killed,
            },
            away: match random.below(4) {
                0 => LONG,
                _ => random.duration(SHORT),
            },
        }
    }

    fn describe(&self) -> String {
        let Self { after, how, away } = self;
        format!("{how:?} after {after:.2?}, away for {away:.2?}")
    }
}

impl Played {
    fn describe(&self) -> String {
        let by_whom = match self.by_next_run {
            true => "by the next run",
            false => "by the run",
        };
        let mut text = format!("gone after {:.2?}, {by_whom}", self.gone_after);
        for (test, said) in &self.failed {
            text += &format!("\n    {test}: {said}");
        }
        text
    }
}

impl Soak {
    /// Runs a test that may take as long as an image does.
    fn make_image(&self) -> Result<()> {
        let round = Round::new("outage", 0)?;
        let mut command = Command::new(&self.next_run);
        self.prepare(&round, command.arg("--ignored"))?;
        let status = command.status().context("cannot run the next run")?;
        ensure!(status.success(), "its test has failed: {status}");
        self.is_gone(round)
    }

    /// Sees that nothing is left of a round in which nothing went wrong.
    fn is_gone(&self, round: Round) -> Result<()> {
        let api = self.daemon.api();
        let gone = round.gone(&api, Instant::now(), WITHIN, || round.left(&api))?;
        ensure!(gone.late.is_none() && !gone.unswept, "something is left");
        round.remove();
        Ok(())
    }

    /// Runs the tests to their end, which must be good, and returns how long they took.
    fn undisturbed(&self) -> Result<Duration> {
        let round = Round::new("outage", 1)?;
        let begun = Instant::now();
        let mut running = self.start(&round)?;
        for (test, process) in &mut running {
            let status = round.ended(process)?;
            ensure!(status.success(), "{test} failed:\n{}", output(&round, test));
        }
        let took = begun.elapsed();
        self.is_gone(round)?;
        Ok(took)
    }

    /// Starts the tests, each in a process of its own.
    fn start(&self, round: &Round) -> Result<BTreeMap<&'static str, Child>> {
        let start = |test: &&'static str| {
            let mut command = Command::new(&self.executable);
            command.args([test, "--exact", "--ignored"]);
            self.prepare(round, &mut command)?;
            let output = File::create(round.runtime().with_file_name(test))?;
            command.stdout(output.try_clone()?).stderr(output);
            let child = command.spawn().context("cannot run the test executable")?;
            Ok((*test, child))
        };
        TESTS.iter().map(start).collect()
    }

    fn prepare(&self, round: &Round, command: &mut Command) -> Result<()> {
        round.prepare(command)?;
        command.env("DOCKER_HOST", self.daemon.api().address.to_string());
        Ok(())
    }

    fn play(&mut self, round: &Round, plan: &Plan) -> Result<Played> {
        let running = self.start(round)?;
        thread::sleep(plan.after);
        self.daemon.stop(plan.how)?;
        thread::sleep(plan.away);
        self.daemon.start_again()?;
        let mut failed = Vec::new();
        for (test, mut process) in running {
            if !round.ended(&mut process)?.success() {
                let output = output(round, test);
                if !output.contains(REASON) {
                    bail!("{test} does not say that it was the engine:\n{output}");
                }
                let said = output.lines().find(|line| line.contains(REASON));
                failed.push((test, said.unwrap_or_default().trim().to_owned()));
            }
        }
        let api = self.daemon.api();
        let mut gone = round.gone(&api, Instant::now(), WITHIN, || round.left(&api))?;
        let by_next_run = gone.unswept;
        if by_next_run {
            let next = |command: &mut Command| {
                command.env("DOCKER_HOST", api.address.to_string());
            };
            gone = next::gone(&api, round, &self.next_run, WITHIN, next)?;
        }
        if let Some(late) = gone.late {
            bail!("not gone within {WITHIN:?}: {late}");
        }
        Ok(Played {
            failed,
            by_next_run,
            gone_after: gone.took,
        })
    }
}

fn output(round: &Round, test: &str) -> String {
    let path: &Path = &round.runtime().with_file_name(test);
    fs::read_to_string(path).unwrap_or_default()
}
