//! The package whose tests the soaks run, and building its test executables.
//!
//! It runs none of them.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::workspace;

pub(super) const PACKAGE: &str = "seatrial-soak";

/// Builds a test executable and returns its path.
pub(super) fn build(executable: &str) -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--offline", "--package", PACKAGE]);
    cargo.args(["--test", executable, "--no-run"]);
    cargo.arg("--message-format=json-render-diagnostics");
    let mut running = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let mut executable = None;
    for line in BufReader::new(running.stdout.take().expect("it is piped")).lines() {
        let message: Value = serde_json::from_str(&line?).unwrap_or_default();
        let path = message["executable"].as_str().map(PathBuf::from);
        executable = path.or(executable);
    }
    let status = running.wait()?;
    ensure!(status.success(), "cargo ended with {status}");
    executable.context("cargo has reported no executable")
}
