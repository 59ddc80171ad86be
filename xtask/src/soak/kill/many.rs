//! Killing the runner, the supervisor, or all there is of a run.

use std::process::Child;
use std::thread;
use std::time::Instant;

use anyhow::Result;

use super::super::left::Gone;
use super::super::process::Process;
use super::super::random::Random;
use super::super::round::{PACE, Round};
use super::harness::{start, test_process};
use super::plan::{Plan, Victim, WITHIN};
use crate::api::Api;

/// Kills what the plan says. Everything of the run must go once its last process is gone.
pub(super) fn play(
    api: &Api,
    round: &Round,
    plan: &Plan,
    random: &mut Random,
    notes: &mut Vec<String>,
) -> Result<Option<Gone>> {
    let mut run = start(round, plan.harness)?;
    let is_there = |all: &[_]| all.iter().find_map(test_process).map(drop);
    if round.until(&mut run, is_there)?.is_some() {
        thread::sleep(plan.after);
    }
    if plan.victim == Victim::Supervisor {
        let is_there = |all: &[Process]| all.iter().find(|it| it.is_supervisor()).map(|_| ());
        round.until(&mut run, is_there)?;
    }
    let was_over = run.try_wait()?.is_some();
    kill(round, plan.victim, random, notes);
    wait(round, &mut run)?;
    let gone = round.gone(api, Instant::now(), WITHIN, || round.left(api))?;
    let is_news = !was_over || gone.late.is_some() || gone.unswept;
    Ok(is_news.then_some(gone))
}

/// Kills these of the run's processes.
pub(super) fn kill(round: &Round, victim: Victim, random: &mut Random, notes: &mut Vec<String>) {
    let is_victim = |process: &Process| match victim {
        Victim::One => unreachable!("it is killed elsewhere"),
        Victim::Runner => !process.is_supervisor() && process.test_executable().is_none(),
        Victim::Supervisor => process.is_supervisor(),
        Victim::AllOthers => !process.is_supervisor(),
        Victim::Everything => true,
    };
    let mut processes = round.processes();
    processes.retain(&is_victim);
    // From the runner down, or from the tests up; the supervisor among them has the highest number or a low one.
    processes.sort_unstable_by_key(|process| process.id);
    let backwards = random.coin();
    if backwards {
        processes.reverse();
    }
    for process in &processes {
        round.kill(process);
    }
    // What they have started meanwhile.
    if matches!(victim, Victim::AllOthers | Victim::Everything) {
        round.kill_until_none(is_victim);
    }
    let order = if backwards {
        "the latest first"
    } else {
        "the oldest first"
    };
    notes.push(format!("killed {} processes, {order}", processes.len()));
}

/// Waits until only supervisors are left of the run.
fn wait(round: &Round, run: &mut Child) -> Result<()> {
    round.ended(run)?;
    let begun = Instant::now();
    while round.processes().iter().any(|it| !it.is_supervisor()) {
        round.check_time(begun)?;
        thread::sleep(PACE);
    }
    Ok(())
}
