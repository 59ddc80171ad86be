//! What comes before the rounds: the options, an engine, what is built, and how long the tests take when nothing is killed.
//!
//! It plays none of the rounds that are counted.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::super::options::{Options, Seed};
use super::super::package;
use super::super::random;
use super::super::round::Round;
use super::harness::{self, Harness, check_passed, start, test_process};
use super::plan::WITHIN;
use crate::api::Api;
use crate::steps::Steps;
use crate::{images, install};

/// Rounds of each kind, where no number is given.
const ROUNDS: u32 = 50;
const MOST_ROUNDS: u32 = 10_000;

/// The test executable of the next run on the machine.
const NEXT: &str = "next";

/// What both of these soaks begin with.
pub(super) struct Prepared {
    pub(super) rounds: u32,
    pub(super) seed: u64,
    pub(super) api: Api,
    pub(super) steps: Steps,
    pub(super) next_run: PathBuf,
}

pub(super) fn prepare(arguments: &[String]) -> Result<Prepared> {
    let options = Options::read(arguments, ROUNDS, MOST_ROUNDS, Seed::Taken)?;
    let seed = options.seed.unwrap_or_else(random::seed);
    let api = install::engine()?.api;
    images::ensure_tools(&api)?;
    let mut steps = Steps::new();
    harness::build(&mut steps)?;
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

/// Runs the tests to their end, which must be good, and returns how long they took.
pub(super) fn undisturbed(api: &Api, harness: Harness) -> Result<Duration> {
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
    ensure!(!gone.unswept, "left to the next run");
    if let Some(late) = gone.late {
        bail!("left after {WITHIN:?}: {late}");
    }
    Ok(took)
}
