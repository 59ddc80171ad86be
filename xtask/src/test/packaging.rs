//! The published packages as a registry would hand them out: packed without a warning, with all that belongs in them,
//! and each compiling from what was packed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::steps::{self, Steps};
use crate::workspace::{self, Package, cargo};

/// What every package has beside its sources.
const FILES: &[&str] = &["README.md", "LICENSE-MIT", "LICENSE-APACHE"];

pub(super) fn packages(steps: &mut Steps, packages: &[Package]) -> Result<()> {
    let published = packages.iter().filter(|package| package.published);
    let names: Vec<&str> = published.map(|package| package.name.as_str()).collect();
    steps.check("packages", || check(&names))
}

fn check(names: &[&str]) -> Result<()> {
    pack(names)?;
    let target = workspace::target()?;
    let unpacked = target.join("package/unpacked");
    if unpacked.exists() {
        std::fs::remove_dir_all(&unpacked)
            .with_context(|| format!("cannot remove `{}`", unpacked.display()))?;
    }
    std::fs::create_dir_all(&unpacked)
        .with_context(|| format!("cannot create `{}`", unpacked.display()))?;
    let mut members = Vec::new();
    for name in names {
        let member = unpack(&target.join("package"), name, &unpacked)?;
        for file in FILES {
            ensure!(
                unpacked.join(&member).join(file).is_file(),
                "the package `{name}` has no `{file}`: put it beside its `Cargo.toml`, \
                 a license as a link to that of the workspace"
            );
        }
        members.push((*name, member));
    }
    build(&target, &unpacked, &members)
}

/// Packs them; a warning is an error.
fn pack(names: &[&str]) -> Result<()> {
    let mut package = cargo();
    // What is compiled from it is checked below, with what the other steps have built already.
    package.args(["package", "--no-verify", "--allow-dirty"]);
    // Theirs would have to be made anew each time.
    package.arg("--exclude-lockfile");
    package.args(names.iter().flat_map(|name| ["--package", name]));
    let output = package.output().context("cannot run cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    print!("{said}");
    ensure!(
        output.status.success(),
        "`cargo package` ended with {}",
        output.status
    );
    match said.lines().find(|line| line.starts_with("warning:")) {
        Some(warning) => bail!("`cargo package` warns: {warning}"),
        None => Ok(()),
    }
}

/// Unpacks the one version of a package that was packed last, and returns the name of its directory.
fn unpack(packed: &Path, name: &str, into: &Path) -> Result<String> {
    let directory = format!("{name}-{}", env!("CARGO_PKG_VERSION"));
    let archive = packed.join(format!("{directory}.crate"));
    let mut tar = Command::new("tar");
    // In an archive of cargo, all files have the same old time. Cargo would take another content for what it has compiled already.
    tar.arg("-xzmf").arg(&archive).arg("-C").arg(into);
    steps::run(&mut tar).with_context(|| format!("cannot unpack `{}`", archive.display()))?;
    Ok(directory)
}

/// Compiles what was unpacked: each package finds the others there, and nothing else of the workspace.
fn build(target: &Path, unpacked: &Path, members: &[(&str, String)]) -> Result<()> {
    std::fs::write(unpacked.join("Cargo.toml"), manifest(members))
        .and_then(|()| std::fs::copy(lock(), unpacked.join("Cargo.lock")))
        .context("cannot write the manifest of the unpacked packages")?;
    for (name, _) in members {
        let mut check = cargo();
        check.current_dir(unpacked);
        // One at a time, so that none gets by on what another asks for, with what is built already.
        check.args(["check", "--package", name, "--target-dir"]);
        steps::run(check.arg(target))
            .with_context(|| format!("`{name}` does not compile from its package"))?;
    }
    Ok(())
}

fn lock() -> PathBuf {
    workspace::root().join("Cargo.lock")
}

/// A workspace of its own for what was unpacked. The profile is that of the workspace here, or nothing that is built
/// already would fit.
fn manifest(members: &[(&str, String)]) -> String {
    let directories: Vec<&str> = members.iter().map(|(_, member)| member.as_str()).collect();
    let patches: String = members
        .iter()
        .map(|(name, member)| format!("{name} = {{ path = \"{member}\" }}\n"))
        .collect();
    format!(
        "[workspace]\nresolver = \"3\"\nmembers = {directories:?}\n\n\
         [patch.crates-io]\n{patches}\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n"
    )
}
