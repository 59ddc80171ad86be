//! Where the workspace is, what cargo says about it, and how cargo is called.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a directory of the workspace")
        .to_owned()
}

/// Cargo, to be run at the root: the very one that runs this command.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// A package of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) features: Vec<String>,
    /// Whether it is on its way to a registry, so that others build it with features of their own choice.
    pub(crate) published: bool,
    pub(crate) rust_version: Option<String>,
    /// Whether the examples in its documentation are tests.
    pub(crate) doc_tests: bool,
}

/// The packages of the workspace.
///
/// # Errors
///
/// Where cargo cannot read the workspace.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    Ok(packages.map(package).collect())
}

/// Where cargo puts what it builds.
///
/// # Errors
///
/// Where cargo cannot read the workspace.
pub(crate) fn target() -> Result<PathBuf> {
    let metadata = metadata()?;
    let target = metadata["target_directory"].as_str();
    Ok(target
        .context("cargo's metadata has no target directory")?
        .into())
}

/// Runs a command of cargo that builds, and returns the executables that it reports, by the names of their targets.
///
/// # Errors
///
/// Where the command cannot be run or fails; cargo itself says why.
pub(crate) fn executables(cargo: &mut Command) -> Result<BTreeMap<String, PathBuf>> {
    let mut running = cargo
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let mut executables = BTreeMap::new();
    for line in BufReader::new(running.stdout.take().expect("it is piped")).lines() {
        let message: Value = serde_json::from_str(&line?).unwrap_or_default();
        let name = message["target"]["name"].as_str();
        if let (Some(name), Some(path)) = (name, message["executable"].as_str()) {
            executables.insert(name.to_owned(), path.into());
        }
    }
    let status = running.wait()?;
    ensure!(status.success(), "cargo ended with {status}");
    Ok(executables)
}

fn metadata() -> Result<Value> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version=1"])
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "cargo cannot read the workspace: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    serde_json::from_slice(&output.stdout).context("cargo's metadata is not JSON")
}

fn package(metadata: &Value) -> Package {
    let features = metadata["features"].as_object().into_iter().flatten();
    let mut targets = metadata["targets"].as_array().into_iter().flatten();
    let library = targets.find(|target| {
        ["lib", "proc-macro"]
            .iter()
            .any(|kind| target["kind"][0] == *kind)
    });
    Package {
        name: metadata["name"].as_str().unwrap_or_default().to_owned(),
        features: features.map(|(name, _)| name.clone()).collect(),
        // `publish = false` is written as an empty list of registries.
        published: metadata["publish"].is_null(),
        rust_version: metadata["rust_version"].as_str().map(str::to_owned),
        doc_tests: library.is_none_or(|library| library["doctest"] == true),
    }
}
