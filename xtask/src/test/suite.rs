//! Runs the tests: under nextest, and under `cargo test` what is different there.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::junit::{self, Flaky};
use super::options::ROUNDS;
use crate::steps::Steps;
use crate::workspace::{self, Package, cargo};

/// Nextest's profile for all this, in `.config/nextest.toml`.
const PROFILE: &str = "gate";

/// The tests that see to it that the images are there.
const IMAGES: &str = "binary(fixture_images)";

/// Tests that are many alike, each with containers of its own: the gate runs those of their modules that differ most.
const ALIKE: &str = "binary(locks) & not test(/^(nodes_that_fail|many_at_once)::/)";

/// The tests whose images take minutes to make, and their servers long to start. They are ignored where they are not
/// asked for.
const HEAVY: &str = "binary(rabbitmq)";

/// The tests that use an engine, as the profile's groups have them.
const ON_ENGINE: &str = "group(engine) + group(cargo) + group(waiting)";

/// For `cargo test`: most tests wait for the engine rather than for a processor.
const THREADS: &str = "4";

/// Tests, and where they run.
pub(super) struct Suite<'a> {
    pub(super) packages: &'a [Package],
    /// The engine that the tests would not find by themselves.
    pub(super) host: Option<String>,
    /// Whether a test that fails once fails the run.
    pub(super) strict: bool,
}

impl Suite<'_> {
    /// What CI runs: every test once, but for what is alike, and again what another harness makes different.
    ///
    /// # Errors
    ///
    /// The first step's that fails.
    pub(super) fn gate(&self, steps: &mut Steps) -> Result<()> {
        self.every_test_once(steps, &format!("not ({ALIKE})"))?;
        self.doc_tests(steps)?;
        let mut tests = self.cargo_test();
        tests.arg("--no-fail-fast");
        // All tests of an executable in one process: verdicts and captured output, services that tests share, and an
        // example whose tests share theirs.
        tests.args(["--test", "harness", "--test", "scopes", "--test", "shop"]);
        steps.command("cargo test: one process", &mut tests)?;
        // Here their children end at the same moment as their siblings, below one parent. The other tests of endings
        // are long, and what they run is the same whatever runs them: nested cargo, or one process that gets a signal.
        let mut endings = self.cargo_test();
        endings.args(["--test", "endings", "--", "direct::"]);
        // What waits longest, and has its supervisor or its end to itself.
        endings.args([
            "--skip",
            "time",
            "--skip",
            "in_its_process",
            "--skip",
            "in_their_process",
        ]);
        steps.command("cargo test: endings", &mut endings)
    }

    /// Every test under both harnesses, and those that use the engine `rounds` times under nextest.
    ///
    /// # Errors
    ///
    /// The first step's that fails.
    pub(super) fn full(&self, steps: &mut Steps, rounds: u32) -> Result<()> {
        self.every_test_once(steps, "all()")?;
        for round in 2..=rounds {
            let name = format!("tests on the engine, round {round} of {rounds}");
            self.nextest(steps, &name, ON_ENGINE, |_| {})?;
        }
        for (name, variable, value) in [
            ("with published ports", "SEATRIAL_PUBLISH", "always"),
            ("without namespaces prepared", "SEATRIAL_NAMESPACES", "0"),
            ("with nothing started ahead", "SEATRIAL_AHEAD", "0"),
        ] {
            let name = format!("tests on the engine, {name}");
            self.nextest(steps, &name, ON_ENGINE, |tests| {
                tests.env(variable, value);
            })?;
        }
        self.nextest(steps, "heavy tests", HEAVY, |tests| {
            tests.args(["--run-ignored", "only"]);
        })?;
        steps.command("cargo test", self.cargo_test().arg("--no-fail-fast"))
    }

    /// Every test of a filter.
    fn every_test_once(&self, steps: &mut Steps, filter: &str) -> Result<()> {
        let mut build = self.cargo();
        build.args(["nextest", "run", "--workspace", "--no-run"]);
        steps.command("build", &mut build)?;
        // Before all others: some of them use the engine itself, on images that must be there.
        self.nextest(steps, "fixture images", IMAGES, |_| {})?;
        let filter = format!("({filter}) & not {IMAGES}");
        self.nextest(steps, "tests", &filter, |_| {})
    }

    /// The tests of a filter under nextest, with a command that `change` may change. What passed only at its second try is noted, also where
    /// others failed.
    fn nextest(
        &self,
        steps: &mut Steps,
        name: &str,
        filter: &str,
        change: impl FnOnce(&mut Command),
    ) -> Result<()> {
        // Not in cargo's target directory wherever that is, but in the workspace's.
        let report = workspace::root()
            .join("target/nextest")
            .join(PROFILE)
            .join("junit.xml");
        // One of an earlier run would be taken for this one's, should nothing be built.
        if let Err(error) = fs::remove_file(&report)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error).with_context(|| format!("cannot remove {}", report.display()));
        }
        let mut tests = self.cargo();
        tests.args(["nextest", "run", "--workspace", "--profile", PROFILE]);
        if self.strict {
            tests.args(["--retries", "0"]);
        }
        tests.args(["--filterset", filter]);
        change(&mut tests);
        let result = steps.command(name, &mut tests);
        match flaky(&report) {
            Ok(flaky) => flaky.iter().for_each(|test| steps.note(test.to_string())),
            // Where nothing was built, there is no report, and the step has failed.
            Err(_) if result.is_err() => {}
            Err(error) => return Err(error),
        }
        result
    }

    fn doc_tests(&self, steps: &mut Steps) -> Result<()> {
        let mut tests = self.cargo_test();
        tests.arg("--doc");
        // Asked for by `--doc`, cargo runs them also where the package says that it has none.
        for package in self.packages.iter().filter(|package| !package.doc_tests) {
            tests.args(["--exclude", &package.name]);
        }
        steps.command("doc tests", &mut tests)
    }

    /// `cargo test` for all packages, so that none of them is built anew with fewer features.
    fn cargo_test(&self) -> Command {
        let mut tests = self.cargo();
        tests.args(["test", "--workspace"]);
        tests.env("RUST_TEST_THREADS", THREADS);
        tests
    }

    fn cargo(&self) -> Command {
        let mut cargo = cargo();
        // The tests of endings obey it, too: what is repeated here would be repeated there once more.
        cargo.env_remove(ROUNDS);
        if let Some(host) = &self.host {
            cargo.env("DOCKER_HOST", host);
        }
        cargo
    }
}

/// The tests that passed only when they were tried again.
fn flaky(report: &Path) -> Result<Vec<Flaky>> {
    let text = fs::read_to_string(report);
    let text = text.with_context(|| format!("cannot read {}", report.display()))?;
    junit::flaky(&text)
}
