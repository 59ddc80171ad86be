//! `cargo xtask test`: everything that CI checks, in order, ended by the first failure.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::leftovers::Leftovers;
use crate::packages::Need;
use crate::steps::Steps;
use crate::workspace::{self, Package, cargo};
use crate::{images, install, steps};

/// What the tests use beside the engine.
const TOOLS: &[Need] = &[Need {
    programs: &["docker-registry"],
    packages: &["docker-registry"],
    why: "the tests of pulling run a registry on loopback",
}];

/// Most tests wait for the engine rather than for a processor.
const THREADS: &str = "4";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let quick = match arguments {
        [] => false,
        [option] if option == "--quick" => true,
        _ => bail!("`cargo xtask test` takes no argument but `--quick`"),
    };
    let mut steps = Steps::new();
    let result = if quick {
        self::quick(&mut steps)
    } else {
        full(&mut steps)
    };
    println!("\n{}", steps.summary());
    result
}

fn quick(steps: &mut Steps) -> Result<()> {
    fmt(steps)?;
    clippy(steps)?;
    let mut unit = cargo();
    unit.args(["test", "--workspace", "--lib", "--bins"]);
    // Those that use the engine itself are in modules of such names.
    unit.args(["--", "--skip", "engine_"]);
    steps.command("unit tests", &mut unit)?;
    let mut ui = cargo();
    ui.args(["test", "--workspace", "--test", "ui"]);
    steps.command("UI tests", &mut ui)
}

fn full(steps: &mut Steps) -> Result<()> {
    steps.check("machine", prepare)?;
    fmt(steps)?;
    clippy(steps)?;
    docs(steps)?;
    let packages = workspace::packages()?;
    features(steps, &packages)?;
    minimum_rust(steps, &packages)?;

    let api = install::engine()?.api;
    let leftovers = Leftovers::before(&api)?;
    // Before all others: some of them use the engine itself, on images that must be there.
    steps.command("fixture images", &mut images::tests())?;
    // Both build the same, so the second finds everything built.
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--no-fail-fast"]);
    tests.env("RUST_TEST_THREADS", THREADS);
    steps.command("cargo test", &mut tests)?;
    let mut tests = cargo();
    tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
    tests.args(["--test-threads", THREADS]);
    steps.command("cargo nextest", &mut tests)?;
    for defect in steps.check("nothing is left", || leftovers.none())? {
        steps.note(defect);
    }
    Ok(())
}

/// An engine, and the tools that the tests use. A tool that cannot be installed is no failure yet: the test that
/// needs it will say so.
fn prepare() -> Result<()> {
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
            "installing cargo-nextest, under which the tests are run too; building it takes minutes"
        );
        steps::run(cargo().args(["install", "cargo-nextest", "--locked"]))?;
    }
    Ok(())
}

fn fmt(steps: &mut Steps) -> Result<()> {
    steps.command("fmt", cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(steps: &mut Steps) -> Result<()> {
    let mut clippy = cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--all-features"]);
    // Not by RUSTFLAGS: they would have every dependency built twice.
    clippy.args(["--", "-D", "warnings"]);
    steps.command("clippy", &mut clippy)
}

fn docs(steps: &mut Steps) -> Result<()> {
    let mut doc = cargo();
    doc.env("RUSTDOCFLAGS", "-D warnings");
    doc.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    steps.command("docs", &mut doc)
}

/// Each published package without features, and with each of them alone.
fn features(steps: &mut Steps, packages: &[Package]) -> Result<()> {
    for package in packages.iter().filter(|package| package.published) {
        let check = |feature: Option<&String>| {
            let mut check = cargo();
            check.args(["check", "--package", &package.name, "--no-default-features"]);
            check.args(feature.map(|feature| format!("--features={feature}")));
            check
        };
        let name = &package.name;
        steps.command(&format!("{name} without features"), &mut check(None))?;
        for feature in package
            .features
            .iter()
            .filter(|feature| *feature != "default")
        {
            steps.command(&format!("{name} with {feature}"), &mut check(Some(feature)))?;
        }
    }
    Ok(())
}

/// The declared minimum Rust version, where it is installed: it is not downloaded for this.
fn minimum_rust(steps: &mut Steps, packages: &[Package]) -> Result<()> {
    let versions = packages.iter().filter(|package| package.published);
    let versions: BTreeSet<&str> = versions.filter_map(|p| p.rust_version.as_deref()).collect();
    let installed = Command::new("rustup").args(["toolchain", "list"]).output();
    let installed = installed.map(|output| output.stdout).unwrap_or_default();
    let installed = String::from_utf8_lossy(&installed);
    for version in versions {
        let name = format!("Rust {version}");
        let toolchain = installed.lines().find(|line| is_release(line, version));
        let Some(toolchain) = toolchain.and_then(|line| line.split_whitespace().next()) else {
            let why = format!(
                "it is not installed (rustup toolchain install {version} --profile minimal)"
            );
            steps.skip(&name, why);
            continue;
        };
        let mut check = Command::new("rustup");
        check.current_dir(workspace::root());
        check.args([
            "run",
            toolchain,
            "cargo",
            "check",
            "--workspace",
            "--all-features",
        ]);
        // Apart from what the current version builds, which would be built anew afterwards.
        check.args(["--target-dir", "target/minimum-rust"]);
        steps.command(&name, &mut check)?;
    }
    Ok(())
}

/// Whether a toolchain of rustup's list is of the release `version`, as `1.88.0-x86_64-unknown-linux-gnu` is of `1.88`.
fn is_release(toolchain: &str, version: &str) -> bool {
    toolchain
        .strip_prefix(version)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', ' ']))
}

#[cfg(test)]
mod tests {
    use super::is_release;

    #[test]
    fn a_toolchain_is_known_by_its_release() {
        assert!(is_release("1.88.0-x86_64-unknown-linux-gnu", "1.88"));
        assert!(is_release("1.88-x86_64-unknown-linux-gnu (active)", "1.88"));
        assert!(!is_release("1.8.0-x86_64-unknown-linux-gnu", "1.88"));
        assert!(!is_release("1.88.0-x86_64-unknown-linux-gnu", "1.8"));
        assert!(!is_release("stable-x86_64-unknown-linux-gnu", "1.88"));
    }
}
