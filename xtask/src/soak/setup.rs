//! `cargo xtask soak setup`: some processes wait for a shared service while one of them sets it up, and that one is killed at
//! any moment of it; sometimes also the one that begins anew. The others must have the service whole: each step done, and
//! none twice.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::crowd::{Begun, Crowd};
use super::left::Left;
use super::options::{Options, Seed};
use super::package;
use super::random::{self, Random};
use super::report::{figures, judge};
use super::round::{PACE, Round};
use crate::api::Api;
use crate::leftovers::Kind;
use crate::steps::Steps;
use crate::{images, install};

/// Rounds, where no number is given.
const ROUNDS: u32 = 20;
const MOST_ROUNDS: u32 = 10_000;

/// How many processes there are in a round.
const PROCESSES: usize = 6;

/// The test that each of them runs, and its executable.
const TEST: &str = "builds_with_others";
const EXECUTABLE: &str = "setup";

/// The service that is set up, by a command and then by a function, and the one that needs it.
const SERVICE: &str = "dock";
const DEPENDENT: &str = "pilot";
const SETUPS: usize = 2;

/// What has to go must be gone so soon.
const WITHIN: Duration = Duration::from_secs(5);

/// What happened in a round.
#[derive(Default)]
struct Played {
    killed: usize,
    /// Of these, in the middle of the function.
    in_the_middle: usize,
    /// From each of these kills until another process began anew.
    again: Vec<Duration>,
    /// How long the function took, where nobody was killed.
    setup: Option<Duration>,
    /// From the moment at which all began until all that were not killed had the service.
    ready: Duration,
    /// From the end of the last process until nothing was left.
    gone: Duration,
    stuck: u32,
}

/// `cargo xtask soak setup`: prints how long it took, and fails where a process that was not killed did not have the service
/// whole, or anything was left.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments, ROUNDS, MOST_ROUNDS, Seed::Taken)?;
    let seed = options.seed.unwrap_or_else(random::seed);
    let api = install::engine()?.api;
    images::ensure_tools(&api)?;
    let mut steps = Steps::new();
    let executable = steps.check("build", || package::build(EXECUTABLE))?;
    println!("\nseed: {seed}");
    // How long the function takes here and now.
    let length = steps.check("undisturbed", || undisturbed(&api, &executable))?;
    let mut all = Vec::new();
    let mut failures = Vec::new();
    for number in 1..=options.rounds {
        let mut random = Random::of_round(seed, number);
        let after = moments(&mut random, length);
        let round = Round::new("setup", number)?;
        let head = format!("round {number}, kills after {after:.0?}");
        match play(&api, &round, &executable, &after) {
            Ok(played) => {
                println!("{head}: {}", played.describe());
                all.push(played);
                round.remove();
            }
            Err(error) => {
                failures.push(round.fail(&head, &error));
            }
        }
    }
    println!("\n{}\n", steps.summary());
    println!(
        "seed {seed}, {PROCESSES} processes, {} rounds, {} failed; the function takes {length:.2?}",
        options.rounds,
        failures.len()
    );
    summarize(&all);
    judge(&failures, seed)
}

/// When to kill whoever runs a function that takes so long, counted from its beginning; also when it is just over. Every
/// third time whoever begins anew is killed, too.
fn moments(random: &mut Random, length: Duration) -> Vec<Duration> {
    let kills = if random.below(3) == 0 { 2 } else { 1 };
    let moment = |_| random.duration(length.mul_f64(1.05));
    (0..kills).map(moment).collect()
}

/// Plays a round in which nobody is killed, and returns how long the function took.
fn undisturbed(api: &Api, executable: &Path) -> Result<Duration> {
    let round = Round::new("setup", 0)?;
    let played = play(api, &round, executable, &[]).with_context(|| round.story())?;
    round.remove();
    played.setup.context("nobody was killed")
}

fn play(api: &Api, round: &Round, executable: &Path, after: &[Duration]) -> Result<Played> {
    let mut played = Played::default();
    let crowd = Crowd::gather(round, executable, TEST, PROCESSES)?;
    let begun = Instant::now();
    let mut crowd = crowd.begin();
    let mut builders = BTreeSet::new();
    let first = next_builder(round, &mut crowd, &mut builders)?;
    let mut builder = first.context("processes had the service before it was set up")?;
    if after.is_empty() {
        let begun = Instant::now();
        until_built(round, &mut crowd, &builder)?;
        played.setup = Some(begun.elapsed());
    }
    let mut last_kill = None;
    for moment in after {
        thread::sleep(*moment);
        crowd.kill(&builder)?;
        let killed = Instant::now();
        last_kill = Some(killed);
        played.killed += 1;
        if has_built(round, &builder) {
            break;
        }
        played.in_the_middle += 1;
        let next = next_builder(round, &mut crowd, &mut builders)?;
        builder = next.context("processes had the service although its setup was cut short")?;
        played.again.push(killed.elapsed());
    }
    crowd.wait_for(round, "ready-")?;
    played.ready = begun.elapsed();
    check_events(round, &played)?;
    let since = last_kill.unwrap_or_else(Instant::now);
    let halves = round.gone(api, since, WITHIN, || half_made(api, round))?;
    if let Some(late) = halves.late {
        bail!("half made, and left after {WITHIN:?}: {late}");
    }
    crowd.end(round)?;
    let gone = round.gone(api, Instant::now(), WITHIN, || round.left(api))?;
    played.gone = gone.took;
    played.stuck = gone.stuck;
    match gone.late {
        None => Ok(played),
        Some(late) => bail!("left after {WITHIN:?}: {late}"),
    }
}

/// Waits until another process runs the function; none where a process has the service instead.
fn next_builder(
    round: &Round,
    crowd: &mut Begun,
    builders: &mut BTreeSet<String>,
) -> Result<Option<String>> {
    let begun = Instant::now();
    loop {
        // Looked at before, for one that has begun meanwhile may be done meanwhile.
        let has_service = !round.records("ready-").is_empty();
        let mut building = round.records("building-").into_iter();
        if let Some(next) = building.find(|it| !builders.contains(it)) {
            builders.insert(next.clone());
            return Ok(Some(next));
        }
        if has_service {
            return Ok(None);
        }
        crowd.check_alive()?;
        round.check_time(begun)?;
        thread::sleep(PACE / 4);
    }
}

fn has_built(round: &Round, process: &str) -> bool {
    round.records("built-").iter().any(|it| it == process)
}

/// Waits until this process is done with the function.
fn until_built(round: &Round, crowd: &mut Begun, process: &str) -> Result<()> {
    let begun = Instant::now();
    while !has_built(round, process) {
        crowd.check_alive()?;
        round.check_time(begun)?;
        thread::sleep(PACE / 4);
    }
    Ok(())
}

/// An instance was discarded for each process that was killed in the middle, and one more was set up; what needs it was
/// started once.
fn check_events(round: &Round, played: &Played) -> Result<()> {
    let discarded = round.count(SERVICE, "discarded")?;
    // Where the function had just returned, nobody may have been told.
    let may_be = played.in_the_middle..=played.killed;
    ensure!(
        may_be.contains(&discarded),
        "{discarded} instances were discarded, with {} of {} killed in the middle",
        played.in_the_middle,
        played.killed
    );
    for (service, event, expected) in [
        (SERVICE, "created", discarded + 1),
        (SERVICE, "setup", SETUPS * (discarded + 1)),
        // Of each that was discarded, all but the last.
        (SERVICE, "set_up", SETUPS * (discarded + 1) - discarded),
        (SERVICE, "ready", 1),
        (DEPENDENT, "starting", 1),
    ] {
        let count = round.count(service, event)?;
        ensure!(
            count == expected,
            "`{service}` has {count} events `{event}`, expected {expected}"
        );
    }
    Ok(())
}

/// What the engine has of the round beside the containers that all processes know, and the volumes of these.
fn half_made(api: &Api, round: &Round) -> Result<Vec<Left>> {
    let mut known = BTreeSet::new();
    for process in round.records("ready-") {
        known.insert(round.record(&format!("ready-{process}"))?);
    }
    ensure!(
        known.len() == 1,
        "the processes have different instances: {known:?}"
    );
    let ids: Vec<&str> = known.iter().flat_map(|ids| ids.split(' ')).collect();
    let all = round.labelled(api)?;
    let of_known = all.iter().filter(|it| ids.contains(&&*it.id));
    let volumes: BTreeSet<&str> = of_known.flat_map(Left::volumes).collect();
    let is_half_made = |left: &&Left| match left.kind {
        Kind::Container => !ids.contains(&&*left.id),
        Kind::Volume => !volumes.contains(&*left.id),
        _ => false,
    };
    Ok(all.iter().filter(is_half_made).cloned().collect())
}

fn summarize(all: &[Played]) {
    let sum = |of: fn(&Played) -> usize| all.iter().map(of).sum::<usize>();
    let durations = |of: fn(&Played) -> Duration| all.iter().map(of).collect::<Vec<_>>();
    let again: Vec<Duration> = all.iter().flat_map(|it| it.again.clone()).collect();
    println!(
        "  killed {}, of these in the middle of the setup {}; rounds with two killed in the middle: {}\n  \
         until another began anew: {}\n  until all had it: {}\n  until all was gone: {}",
        sum(|it| it.killed),
        sum(|it| it.in_the_middle),
        all.iter().filter(|it| it.in_the_middle > 1).count(),
        figures(&again),
        figures(&durations(|it| it.ready)),
        figures(&durations(|it| it.gone))
    );
    let stuck: u32 = all.iter().map(|it| it.stuck).sum();
    if stuck > 0 {
        println!("  networks stuck by the engine's defect: {stuck}");
    }
}

impl Played {
    fn describe(&self) -> String {
        format!(
            "killed {}, in the middle {}; began anew after {:.2?}; all had it after {:.2?}; gone after {:.2?}",
            self.killed, self.in_the_middle, self.again, self.ready, self.gone
        )
    }
}
