//! `cargo xtask bench`: Seatrial, testcontainers and raw calls of the engine's API, measured in turn on the same engine
//! and images.
//!
//! The scenarios' code is in `benchmarks/startup`, a workspace of its own: nothing of testcontainers gets into ours.

mod builds;
mod chart;
mod commands;
mod ground;
mod options;
mod origin;
mod process;
mod readme;
mod report;
mod sample;
mod scenario;
mod server;
mod statistics;
mod table;
mod workshop;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::engine::Engine;
use crate::leftovers::Leftovers;
use crate::steps::Steps;
use crate::{images, install, workspace};
use ground::Ground;
use options::{Options, Request};
use origin::Origin;
use readme::Readme;
use report::{Measured, Report, amount};
use sample::{Contender, Reading};
use scenario::{Method, Scenario, Test};
use server::ServerImage;
use workshop::Workshop;

pub(crate) use options::USAGE;

/// The image that the scenarios run on.
const IMAGE: &str = "redis:7";

/// The executable that has the tests of the scenarios.
const EXECUTABLE: &str = "scenarios";

/// The variables that make processes one run of Seatrial's, and tell the processes of the benchmark apart.
const RUN: [&str; 2] = ["SEATRIAL_RUN_ID", "STARTUP_PROCESS"];

/// `cargo xtask bench`: prints the figures as a table, and writes them as JSON, Markdown and SVG.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = match Request::read(arguments)? {
        Request::Help => {
            println!("{}", options::help());
            return Ok(());
        }
        Request::Run(options) => options,
    };
    // Before anything is measured.
    let readme = options.update.then(Readme::open).transpose()?;
    let engine = install::engine()?;
    let mut steps = Steps::new();
    images::ensure(&engine.api, &mut steps, IMAGE)?;
    let command = [&["cargo xtask bench".to_owned()], arguments].concat();
    let origin = Origin::look(&engine, command.join(" "))?;

    let leftovers = Leftovers::before(&engine.api)?;
    let mut measured = Vec::new();
    let played = measure(&engine, &options, &mut steps, &mut measured);
    let left = steps.check("nothing is left", || leftovers.none());
    let left = left.map(|defects| defects.into_iter().for_each(|defect| steps.note(defect)));
    println!("\n{}\n", steps.summary());
    // What was measured before an error took its time, too.
    if !measured.is_empty() {
        let readme = readme.as_ref().filter(|_| played.is_ok() && left.is_ok());
        publish(&Report::new(origin, &measured), readme)?;
    }
    match (played, left) {
        (Err(error), Err(left)) => bail!("{error:#}\n{left:#}"),
        (played, left) => played.and(left),
    }
}

/// Shows and writes the report.
fn publish(report: &Report, readme: Option<&Readme>) -> Result<()> {
    let (table, chart) = (table::markdown(report), chart::svg(report));
    let calls = table::of_calls(report);
    if report.rows_of(Contender::Seatrial).next().is_some() {
        println!("{table}");
    }
    if let Some(calls) = &calls {
        println!("{calls}");
    }
    let directory = workspace::target()?.join("seatrial/bench");
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    for (name, content) in [
        ("results.json", format!("{:#}\n", table::json(report))),
        ("table.md", table.clone()),
        ("calls.md", calls.clone().unwrap_or_default()),
        ("chart.svg", chart.clone()),
    ] {
        let path = directory.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        println!("written: {}", path.display());
    }
    readme.map_or(Ok(()), |readme| {
        readme.update(&table, &chart, &calls.unwrap_or_default())
    })
}

/// Builds what the scenarios need, plays them, and removes what the contenders have left. Adds each scenario that is
/// complete to `all`.
fn measure(
    engine: &Engine,
    options: &Options,
    steps: &mut Steps,
    all: &mut Vec<Measured>,
) -> Result<()> {
    let workshop = Workshop::new(&engine.api.address)?;
    steps.command("fetch", &mut workshop.fetch())?;
    let mut executables = BTreeMap::new();
    for contender in needed(&options.scenarios) {
        let name = format!("build {}", contender.package());
        let built = steps.check(&name, || workshop.build(contender))?;
        executables.insert(contender, built);
    }
    let mut bench = Bench {
        engine,
        ground: Ground::before(&engine.api)?,
        workshop,
        executables,
        processes: 0,
    };
    let played = options.scenarios.iter().try_for_each(|scenario| {
        let rounds = options.rounds.unwrap_or(scenario.rounds);
        all.push(steps.check(scenario.name, || bench.play(scenario, rounds))?);
        Ok(())
    });
    let removed = bench.ground.clear()?;
    if !removed.is_empty() {
        println!("removed what was left: {}", removed.join(", "));
    }
    played
}

/// The contenders whose tests are run.
fn needed(scenarios: &[&Scenario]) -> Vec<Contender> {
    let has_tests = |it: &&&Scenario| !matches!(it.method, Method::Builds);
    let scenarios: Vec<_> = scenarios.iter().filter(has_tests).collect();
    let is_needed = |it: &Contender| scenarios.iter().any(|one| one.contenders.contains(it));
    Contender::ALL.into_iter().filter(is_needed).collect()
}

/// What all scenarios use.
struct Bench<'a> {
    engine: &'a Engine,
    ground: Ground<'a>,
    workshop: Workshop,
    executables: BTreeMap<Contender, BTreeMap<String, PathBuf>>,
    /// How many processes were started.
    processes: u32,
}

impl Bench<'_> {
    fn play(&mut self, scenario: &'static Scenario, rounds: u32) -> Result<Measured> {
        let mut measured = Measured::nothing_yet(scenario);
        let _server = if scenario.needs_server {
            let executable = self.workshop.build_server()?;
            Some(ServerImage::import(&self.engine.api, &executable)?)
        } else {
            None
        };
        if let Method::Commands = scenario.method {
            commands::check(&self.workshop)?;
        }
        for round in 0..rounds {
            for contender in Contender::turns(scenario.contenders, round) {
                self.measure(scenario, contender, &mut measured)
                    .with_context(|| format!("{} cannot be measured", contender.name()))?;
                let figures = measured.latest(contender);
                let figures =
                    figures.map(|(case, unit, value)| format!("{case} {}", amount(unit, value)));
                println!(
                    "    round {} of {rounds}, {}: {}",
                    round + 1,
                    contender.name(),
                    figures.collect::<Vec<_>>().join(", ")
                );
            }
        }
        // The image is in use until then.
        self.ground.settle()?;
        Ok(measured)
    }

    /// Measures a contender once.
    fn measure(
        &mut self,
        scenario: &Scenario,
        contender: Contender,
        measured: &mut Measured,
    ) -> Result<()> {
        match scenario.method {
            Method::Tests(tests) => {
                for test in tests {
                    self.test(test, contender, measured)?;
                }
                Ok(())
            }
            Method::Commands => {
                commands::measure(&self.workshop, contender, measured, || self.ground.settle())
            }
            Method::Builds => builds::measure(&self.workshop, contender, measured),
        }
    }

    /// Runs a test in a process and a run of its own.
    fn test(&mut self, test: &Test, contender: Contender, measured: &mut Measured) -> Result<()> {
        self.ground.settle()?;
        let executable = self.executables.get(&contender);
        let executable = executable.and_then(|it| it.get(EXECUTABLE));
        let executable = executable.context("cargo has built no scenarios")?;
        let mut command = process::test(executable, test.name);
        self.workshop.prepare(&mut command);
        self.processes += 1;
        let id = format!("bench-{}-{}", std::process::id(), self.processes);
        command.envs(RUN.map(|variable| (variable, &id)));
        if !test.may_start_ahead {
            command.env("SEATRIAL_AHEAD", "0");
        }
        let finished = process::run(&mut command)?;
        for sample in sample::read(&finished.output)? {
            let value = match sample.reading {
                Reading::Took(took) => took,
                Reading::Ended(ended) => finished.ended - ended,
            };
            measured.add(&sample.case, contender, value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whose_tests_are_run_is_built() {
        let needed = |names: &[&str]| {
            let scenarios: Vec<_> = names.iter().filter_map(|it| scenario::find(it)).collect();
            assert_eq!(scenarios.len(), names.len());
            needed(&scenarios)
        };
        let [seatrial, testcontainers, floor] = Contender::ALL;
        assert_eq!(needed(&["build"]), []);
        assert_eq!(needed(&["lag", "build"]), [seatrial, testcontainers]);
        assert_eq!(needed(&["lag", "one"]), [seatrial, testcontainers, floor]);
    }
}
