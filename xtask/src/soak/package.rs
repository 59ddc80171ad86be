//! The package whose tests the soaks run, and building its test executables.
//!
//! It runs none of them.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::workspace;

pub(super) const PACKAGE: &str = "seatrial-soak";

/// Builds a test executable and returns its path.
pub(super) fn build(executable: &str) -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--offline", "--package", PACKAGE]);
    cargo.args(["--test", executable, "--no-run"]);
    let mut built = workspace::executables(&mut cargo)?;
    built
        .remove(executable)
        .context("cargo has reported no executable")
}
