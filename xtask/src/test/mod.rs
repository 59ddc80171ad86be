//! `cargo xtask test`: everything that CI checks, in order, ended by the first failure. More of it, and less, where
//! that is asked for.

mod checks;
mod junit;
mod options;
mod packaging;
mod suite;

use std::process::Stdio;

use anyhow::{Result, bail};

use crate::engine::{self, Engine};
use crate::leftovers::Leftovers;
use crate::packages::{self, Need};
use crate::steps::Steps;
use crate::workspace::{self, Package, cargo};
use crate::{images, install, steps};
use options::{Extent, Options};
use suite::Suite;

pub(crate) use options::USAGE;

/// What the tests use beside the engine.
const TOOLS: &[Need] = &[Need {
    programs: &["docker-registry"],
    packages: &["docker-registry"],
    why: "the tests of pulling run a registry on loopback",
}];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let rounds = std::env::var(options::ROUNDS).ok();
    let options = Options::parse(arguments, rounds.as_deref())?;
    let mut steps = Steps::new();
    let result = match options.extent {
        Extent::Quick => quick(&mut steps),
        Extent::Gate | Extent::Full { .. } => everything(&mut steps, options),
    };
    println!("\n{}", steps.summary());
    result
}

/// What needs neither an engine nor nextest.
fn quick(steps: &mut Steps) -> Result<()> {
    checks::fmt(steps)?;
    checks::clippy(steps)?;
    let mut unit = cargo();
    unit.args(["test", "--workspace", "--lib", "--bins"]);
    // Those that use the engine itself are in modules of such names.
    unit.args(["--", "--skip", "engine_"]);
    steps.command("unit tests", &mut unit)?;
    let mut ui = cargo();
    ui.args(["test", "--workspace", "--test", "ui"]);
    steps.command("UI tests", &mut ui)
}

fn everything(steps: &mut Steps, options: Options) -> Result<()> {
    let engine = steps.check("machine", prepare)?;
    checks::fmt(steps)?;
    checks::clippy(steps)?;
    checks::docs(steps)?;
    let packages = workspace::packages()?;
    checks::features(steps, &packages)?;
    packaging::packages(steps, &packages)?;
    checks::minimum_rust(steps, &packages)?;

    on_engine(steps, options, &packages, &engine, None)?;
    if let Extent::Full { .. } = options.extent {
        for other in others(steps, &engine) {
            let host = other.api.address.to_string();
            println!("\nengine: {} at {host}", other.name);
            on_engine(steps, options, &packages, &other, Some(host))?;
        }
    }
    Ok(())
}

/// The engines beside the first that the tests can run on.
fn others(steps: &mut Steps, first: &Engine) -> Vec<Engine> {
    let (supported, unsupported): (Vec<_>, Vec<_>) = engine::others(first)
        .into_iter()
        .partition(Engine::is_supported);
    for engine in &unsupported {
        steps.skip(&engine.name, "the tests do not support it yet");
    }
    // Podman has a socket only where its service runs.
    if unsupported.is_empty() && packages::is_installed("podman") {
        steps.skip("Podman", "the tests do not support it yet");
    }
    supported
}

/// The tests on one engine, and what they leave there: looked for also after tests that failed.
fn on_engine(
    steps: &mut Steps,
    options: Options,
    packages: &[Package],
    engine: &Engine,
    host: Option<String>,
) -> Result<()> {
    let leftovers = Leftovers::before(&engine.api)?;
    let suite = Suite {
        packages,
        host,
        strict: options.strict,
    };
    let tests = match options.extent {
        Extent::Full { rounds } => suite.full(steps, rounds),
        Extent::Quick | Extent::Gate => suite.gate(steps),
    };
    let left = steps.check("nothing is left", || leftovers.none());
    let left = left.map(|defects| defects.into_iter().for_each(|defect| steps.note(defect)));
    match (tests, left) {
        (Err(tests), Err(left)) => bail!("{tests:#}\n{left:#}"),
        (tests, left) => tests.and(left),
    }
}

/// An engine, and the tools that the tests use. A tool that cannot be installed is not a failure yet: the test
/// that needs it will say so.
fn prepare() -> Result<Engine> {
    let engine = install::engine()?;
    images::ensure_tools(&engine.api)?;
    for tool in TOOLS {
        if let Err(error) = tool.meet() {
            println!("{error}");
        }
    }
    let nextest = cargo()
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .status();
    if !nextest.is_ok_and(|status| status.success()) {
        println!(
            "installing cargo-nextest, under which the tests are run; building it takes minutes"
        );
        steps::run(cargo().args(["install", "cargo-nextest", "--locked"]))?;
    }
    Ok(engine)
}
