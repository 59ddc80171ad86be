//! Killing one test process: what it had goes while the run goes on, and the others' tests pass.

use std::collections::BTreeSet;
use std::process::Child;
use std::thread;
use std::time::Instant;

use anyhow::{Result, bail, ensure};

use super::super::left::{Gone, Left};
use super::super::process::Process;
use super::super::random::Random;
use super::super::round::{PACE, Round};
use super::harness::{SHARED, check_passed, start, test_process};
use super::plan::{Plan, WITHIN};
use crate::api::Api;
use crate::leftovers::Kind;

/// The composition that each test has to itself.
const OWN: &str = "Crew";

/// Kills one test process. What it had must go while the run goes on, and the others' tests must pass.
pub(super) fn play(
    api: &Api,
    round: &Round,
    plan: &Plan,
    random: &mut Random,
    notes: &mut Vec<String>,
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
    round.kill(&process);
    let killed = Instant::now();
    let count = alive.len() + 1;
    notes.push(format!(
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
