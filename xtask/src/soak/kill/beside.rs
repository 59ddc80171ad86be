//! `cargo xtask soak beside`: two runs at once on one machine, one of which is killed. The other must not notice.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use super::super::next;
use super::super::random::Random;
use super::super::report::{figures, judge};
use super::super::round::Round;
use super::harness::{Harness, SHARED, check_passed, start, test_process};
use super::many;
use super::plan::{Victim, WITHIN, moment};
use super::prepared::{Prepared, prepare, undisturbed};
use crate::api::Api;

/// Prints how long it took until all was gone, and fails where the other run noticed anything, or something stayed.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Prepared {
        rounds,
        seed,
        api,
        mut steps,
        next_run,
    } = prepare(arguments)?;
    let length = steps.check("nextest", || undisturbed(&api, Harness::Nextest))?;
    let mut took = Vec::new();
    let mut failures = Vec::new();
    for number in 1..=rounds {
        let mut random = Random::of_round(seed, number);
        let after = moment(&mut random, length);
        let victim = match random.coin() {
            true => Victim::AllOthers,
            false => Victim::Everything,
        };
        let harnesses = [(); 2].map(|()| match random.coin() {
            true => Harness::Nextest,
            false => Harness::Cargo,
        });
        let head = format!("round {number}, {victim:?} of {harnesses:?} after {after:.2?}");
        let doomed = Round::new("doomed", number)?;
        let spared = Round::new("spared", number)?.on_machine_of(&doomed);
        let kill = |notes: &mut Vec<String>| {
            thread::sleep(after);
            many::kill(&doomed, victim, &mut random, notes);
        };
        match play(&api, [&doomed, &spared], harnesses, &next_run, kill) {
            Ok((notes, gone_after)) => {
                println!("{head}: {notes}, gone after {gone_after:.2?}");
                took.push(gone_after);
                spared.remove();
                doomed.remove();
            }
            Err(error) => {
                failures.push(doomed.fail(&head, &error));
                println!("{}", spared.story());
                spared.kill_all();
            }
        }
    }
    println!(
        "\n{}\n\nseed {seed}, {rounds} rounds, {} failed; until all of the killed run was gone: {}",
        steps.summary(),
        failures.len(),
        figures(&took)
    );
    judge(&failures, seed)
}

/// Runs both, kills the one, and sees that the other passes.
fn play(
    api: &Api,
    [doomed, spared]: [&Round; 2],
    harnesses: [Harness; 2],
    next_run: &Path,
    kill: impl FnOnce(&mut Vec<String>),
) -> Result<(String, std::time::Duration)> {
    let mut notes = Vec::new();
    let mut running = start(doomed, harnesses[0])?;
    let mut other = start(spared, harnesses[1])?;
    let is_there = |all: &[_]| all.iter().find_map(test_process).map(drop);
    doomed.until(&mut running, is_there)?;
    kill(&mut notes);
    doomed.ended(&mut running)?;

    let status = spared.ended(&mut other)?;
    let ended = Instant::now();
    ensure!(status.success(), "the other run failed: {status}");
    check_passed(spared, &BTreeSet::new()).context("the other run")?;
    let created = spared.count(SHARED, "created")?;
    ensure!(
        created == 1,
        "the other run's shared service was created {created} times"
    );
    let own = spared.gone(api, ended, WITHIN, || {
        spared.left_on_engine_and_in(api, &[])
    })?;
    if let Some(late) = own.late {
        bail!("left of the other run: {late}");
    }

    let mut gone = doomed.gone(api, Instant::now(), WITHIN, || doomed.left(api))?;
    if gone.unswept {
        notes.push("left to the next run".to_owned());
        gone = next::gone(api, doomed, next_run, WITHIN, |_| ())?;
    }
    match gone.late {
        None => Ok((notes.join(", "), gone.took)),
        Some(late) => bail!("not gone within {WITHIN:?}: {late}"),
    }
}
