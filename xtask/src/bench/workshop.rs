//! The benchmark's own workspace: calling cargo in it, and building what is measured.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::sample::Contender;
use crate::api::Address;
use crate::workspace;

/// The beginnings of the names of variables that say something of this command, or of a run that it is in.
const OF_OTHER_RUNS: [&str; 5] = [
    "NEXTEST",
    "SEATRIAL_",
    "RUST_TEST_",
    "CARGO_PKG_",
    "TESTCONTAINERS_",
];

/// The package of the server that `lag` needs.
const SERVER: &str = "startup-server";

/// The workspace, what has been built in it, and the engine that everybody uses.
pub(super) struct Workshop {
    directory: PathBuf,
    target: PathBuf,
    host: String,
}

impl Workshop {
    /// # Errors
    ///
    /// Where cargo cannot read the main workspace.
    pub(super) fn new(engine: &Address) -> Result<Self> {
        Ok(Self {
            directory: workspace::root().join("benchmarks/startup"),
            target: workspace::target()?.join("benchmark"),
            host: engine.to_string(),
        })
    }

    /// Cargo in this workspace.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = workspace::cargo();
        self.prepare(&mut cargo);
        cargo.current_dir(&self.directory);
        cargo.env("CARGO_TARGET_DIR", &self.target);
        cargo
    }

    /// Gives a command the environment that all contenders have.
    pub(super) fn prepare(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if OF_OTHER_RUNS.iter().any(|it| text.starts_with(it)) {
                command.env_remove(&name);
            }
        }
        command.env("DOCKER_HOST", &self.host);
    }

    /// Where builds of our own choice go.
    pub(super) fn target(&self, name: &str) -> PathBuf {
        self.target.join(name)
    }

    /// Gets the sources of everything that the benchmark depends on: nothing of the network is in any time.
    pub(super) fn fetch(&self) -> Command {
        let mut fetch = self.cargo();
        fetch.args(["fetch", "--locked", "--quiet"]);
        fetch
    }

    /// Builds the tests of a contender, each contender by itself, as its users do: the others' features are not its own.
    /// The executables by name.
    ///
    /// # Errors
    ///
    /// Where the build fails.
    pub(super) fn build(&self, contender: Contender) -> Result<BTreeMap<String, PathBuf>> {
        let mut cargo = self.cargo();
        cargo.args(["test", "--locked", "--offline", "--no-run"]);
        cargo.args(["--package", &contender.package()]);
        workspace::executables(&mut cargo)
    }

    /// Builds the server, which needs nothing of an image.
    ///
    /// # Errors
    ///
    /// Where the build fails.
    pub(super) fn build_server(&self) -> Result<PathBuf> {
        let mut cargo = self.cargo();
        cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
        cargo.args(["build", "--locked", "--offline", "--release"]);
        cargo.args(["--package", SERVER]);
        let mut built = workspace::executables(&mut cargo)?;
        built.remove(SERVER).context("cargo has built no server")
    }
}
