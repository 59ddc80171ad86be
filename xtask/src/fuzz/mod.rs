//! `cargo xtask fuzz`: runs the targets in `fuzz/`, one after another. By hand only: it takes long, and needs a nightly
//! toolchain.
//!
//! What it makes is in cargo's target directory, below `fuzz`: its tool, what is built, the inputs that it learns from one
//! time to the next, and its findings. It changes nothing of what is in the repository.

mod options;
mod progress;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::steps::{self, Steps};
use crate::workspace::{self, cargo};
use options::Options;
use progress::Progress;

pub(crate) use options::USAGE;

/// No input is worth a longer look than this, nor more memory. What reading a message may take, its target checks itself.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=2048"];

/// `cargo xtask fuzz ..`
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = Options::parse(arguments, &targets()?)?;
    let fuzzer = Fuzzer {
        host: nightly()?,
        directory: workspace::target()?.join("fuzz"),
    };
    let mut steps = Steps::new();
    let result = fuzzer.all(&mut steps, &options);
    println!("\n{}", steps.summary());
    result
}

/// The targets that there are.
fn targets() -> Result<Vec<String>> {
    let directory = workspace::root().join("fuzz/targets");
    let files =
        fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut targets = Vec::new();
    for file in files {
        let path = file?.path();
        targets.extend(
            path.file_stem()
                .map(|name| name.to_string_lossy().into_owned()),
        );
    }
    targets.sort();
    Ok(targets)
}

/// The host that the nightly toolchain is for.
fn nightly() -> Result<String> {
    let output = Command::new("rustup")
        .args(["run", "nightly", "rustc", "-vV"])
        .output()
        .context("cannot run `rustup`, which finds the nightly toolchain")?;
    ensure!(
        output.status.success(),
        "fuzzing needs a nightly toolchain: rustup toolchain install nightly --profile minimal"
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host
        .context("the output of `rustc -vV` has no host")?
        .to_owned())
}

struct Fuzzer {
    host: String,
    /// Where everything is put.
    directory: PathBuf,
}

impl Fuzzer {
    fn all(&self, steps: &mut Steps, options: &Options) -> Result<()> {
        let tool = self.tool(steps)?;
        for target in &options.targets {
            let mut build = self.build(&tool, target);
            steps.command(&format!("build {target}"), &mut build)?;
        }
        let mut failures = Vec::new();
        for target in &options.targets {
            let mut progress = Progress::default();
            let run = steps.check(target, || self.fuzz(target, options.time, &mut progress));
            steps.note(format!("{target}: {progress}"));
            // The others may find something too.
            failures.extend(run.err().map(|error| format!("{error:#}")));
        }
        ensure!(failures.is_empty(), "{}", failures.join("\n"));
        Ok(())
    }

    /// Where `cargo-fuzz` is; it is installed if it is missing.
    fn tool(&self, steps: &mut Steps) -> Result<PathBuf> {
        let root = self.directory.join("tools");
        let own = root.join("bin/cargo-fuzz");
        for tool in [Path::new("cargo-fuzz"), &own] {
            let there = Command::new(tool)
                .arg("--version")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if there.is_ok_and(|status| status.success()) {
                return Ok(tool.to_owned());
            }
        }
        println!("installing cargo-fuzz, which builds the targets");
        let mut install = cargo();
        install.args(["install", "cargo-fuzz", "--locked", "--root"]);
        steps.command("cargo-fuzz", install.arg(root))?;
        Ok(own)
    }

    fn build(&self, tool: &Path, target: &str) -> Command {
        let mut build = Command::new("rustup");
        build.current_dir(workspace::root());
        // The cargo that runs this command is of another toolchain.
        build.env_remove("CARGO");
        build.args(["run", "nightly"]).arg(tool).arg("build");
        // What is fuzzed has no unsafe code: a sanitizer would find nothing, and take most of the time.
        build.args(["--sanitizer", "none", "--fuzz-dir", "fuzz"]);
        build.args(["--target", &self.host, "--target-dir"]);
        build.arg(self.directory.join("build")).arg(target);
        build
    }

    /// Runs a target for so long, or until it finds something.
    fn fuzz(&self, target: &str, time: Duration, progress: &mut Progress) -> Result<()> {
        let executable = ["build", &self.host, "release", target];
        let mut fuzz = Command::new(
            executable
                .iter()
                .fold(self.directory.clone(), |a, b| a.join(b)),
        );
        fuzz.current_dir(workspace::root());
        fuzz.args(LIMITS).arg("-print_final_stats=1");
        fuzz.arg(format!("-max_total_time={}", time.as_secs()));
        let findings = made(self.directory.join("findings").join(target))?;
        fuzz.arg(format!("-artifact_prefix={}/", findings.display()));
        // What is learnt goes to the first, the others are read.
        fuzz.arg(made(self.directory.join("corpus").join(target))?);
        for known in ["corpus", "findings"] {
            let known = Path::new("fuzz").join(known).join(target);
            fuzz.args(workspace::root().join(&known).is_dir().then_some(known));
        }
        println!("{}", steps::command_line(&fuzz));
        let mut fuzzer = fuzz
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run the target `{target}`"))?;
        let output = fuzzer
            .stderr
            .take()
            .context("the target's output is not piped")?;
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("cannot read the target's output")?;
            let line = String::from_utf8_lossy(&line);
            eprintln!("{line}");
            progress.see(&line);
        }
        let status = fuzzer.wait().context("cannot wait for the target")?;
        if let Some(path) = &progress.finding {
            bail!(
                "the target fails for {path}: keep that file in fuzz/findings/{target}, where the unit tests find it"
            );
        }
        ensure!(status.success(), "the target ended with {status}");
        Ok(())
    }
}

/// A directory that exists.
fn made(directory: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_in_the_manifest_and_has_seeds() {
        let root = workspace::root().join("fuzz");
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let names = manifest["bin"].as_array().unwrap().iter();
        let mut names: Vec<&str> = names.map(|bin| bin["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        let targets = targets().unwrap();
        assert_eq!(targets, names);
        for target in targets {
            let mut seeds = fs::read_dir(root.join("corpus").join(&target)).unwrap();
            assert!(seeds.next().is_some(), "{target}");
        }
    }
}
