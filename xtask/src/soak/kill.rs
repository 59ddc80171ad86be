//! `cargo xtask soak kill`: kills any process of a run, and runs as a whole, at any moment.
//!
//! What a test process has to itself must go when the process is killed, while the run goes on; and everything of a run
//! when the run is over, whatever was killed of it. Where the supervisor was, the next run on the machine removes it.

pub(super) mod beside;
mod harness;
mod many;
mod one;
mod plan;
mod prepared;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::next;
use super::random::Random;
use super::report::figures;
use super::round::Round;
use crate::api::Api;
use harness::Harness;
use plan::{Plan, VICTIMS, Victim, WITHIN, moment};
use prepared::{Prepared, prepare, undisturbed};

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
        println!("  {victim:?}: {}", tally.describe());
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

/// Plays a round and prints how it went.
fn play(
    api: &Api,
    next_run: &Path,
    number: u32,
    plan: &Plan,
    random: &mut Random,
    tally: &mut Tally,
) -> Result<()> {
    let round = Round::new("kill", number)?;
    let mut notes = Vec::new();
    let outcome = match plan.victim {
        Victim::One => one::play(api, &round, plan, random, &mut notes),
        _ => many::play(api, &round, plan, random, &mut notes),
    };
    // Nobody is left who would remove it.
    let outcome = outcome.and_then(|gone| match gone {
        Some(gone) if gone.unswept => {
            notes.push("left to the next run".to_owned());
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
            notes.push(format!("gone after {:.2?}", gone.took));
            gone.late
                .map(|late| format!("not gone within {WITHIN:?}: {late}"))
        }
        Ok(None) => {
            tally.too_late += 1;
            notes.push("the tests were over".to_owned());
            None
        }
        Err(error) => Some(format!("{error:#}")),
    };
    let notes = notes.join(", ");
    match failure {
        None => {
            println!("{head}: {notes}");
            round.remove();
        }
        Some(failure) => {
            println!("{head}: {notes}: FAILED: {failure}\n{}", round.story());
            // Nobody waits for what still runs.
            round.kill_all();
            tally.failures.push(format!("{head}: {notes}: {failure}"));
        }
    }
    Ok(())
}

impl Tally {
    fn describe(&self) -> String {
        let mut text = format!(
            "killed {}, over before {}, failed {}; until all was gone: {}",
            self.killed,
            self.too_late,
            self.failures.len(),
            figures(&self.took)
        );
        if self.stuck > 0 {
            text += &format!("; networks stuck by the engine's defect: {}", self.stuck);
        }
        if self.unswept > 0 {
            text += &format!("; left to the next run: {}", self.unswept);
        }
        text
    }
}
