//! What can be checked without running a test.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Result;

use crate::steps::Steps;
use crate::workspace::{self, Package, cargo};

pub(super) fn fmt(steps: &mut Steps) -> Result<()> {
    steps.command("fmt", cargo().args(["fmt", "--all", "--check"]))
}

pub(super) fn clippy(steps: &mut Steps) -> Result<()> {
    let mut clippy = cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--all-features"]);
    // Not by RUSTFLAGS: they would have every dependency built twice.
    clippy.args(["--", "-D", "warnings"]);
    steps.command("clippy", &mut clippy)
}

pub(super) fn docs(steps: &mut Steps) -> Result<()> {
    let mut doc = cargo();
    doc.env("RUSTDOCFLAGS", "-D warnings");
    doc.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    steps.command("docs", &mut doc)
}

/// Each published package that has features, without them and with each of them alone.
pub(super) fn features(steps: &mut Steps, packages: &[Package]) -> Result<()> {
    for (package, feature) in packages.iter().flat_map(combinations) {
        let mut check = cargo();
        check.args(["check", "--package", package, "--no-default-features"]);
        check.args(feature.map(|feature| format!("--features={feature}")));
        let name = match feature {
            None => format!("{package} without features"),
            Some(feature) => format!("{package} with {feature}"),
        };
        steps.command(&name, &mut check)?;
    }
    Ok(())
}

/// A package's name with no feature and with each; nothing for a package that the other steps check as it always is.
fn combinations(package: &Package) -> Vec<(&str, Option<&str>)> {
    let features = package.features.iter().map(String::as_str);
    let features: Vec<&str> = features.filter(|feature| *feature != "default").collect();
    if !package.published || features.is_empty() {
        return Vec::new();
    }
    let each = features.into_iter().map(Some);
    let combinations = std::iter::once(None).chain(each);
    combinations
        .map(|feature| (package.name.as_str(), feature))
        .collect()
}

/// The declared minimum Rust version, where it is installed: it is not downloaded for this.
pub(super) fn minimum_rust(steps: &mut Steps, packages: &[Package]) -> Result<()> {
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
    use super::*;

    #[test]
    fn a_toolchain_is_known_by_its_release() {
        assert!(is_release("1.88.0-x86_64-unknown-linux-gnu", "1.88"));
        assert!(is_release("1.88-x86_64-unknown-linux-gnu (active)", "1.88"));
        assert!(!is_release("1.8.0-x86_64-unknown-linux-gnu", "1.88"));
        assert!(!is_release("1.88.0-x86_64-unknown-linux-gnu", "1.8"));
        assert!(!is_release("stable-x86_64-unknown-linux-gnu", "1.88"));
    }

    #[test]
    fn only_published_packages_with_features_have_something_to_check() {
        let package = |published, features: &[&str]| Package {
            name: "boat".to_owned(),
            features: features.iter().map(ToString::to_string).collect(),
            published,
            rust_version: None,
            doc_tests: true,
        };
        assert_eq!(
            combinations(&package(true, &["default", "sails", "oars"])),
            [
                ("boat", None),
                ("boat", Some("sails")),
                ("boat", Some("oars"))
            ]
        );
        assert!(combinations(&package(true, &[])).is_empty());
        assert!(combinations(&package(true, &["default"])).is_empty());
        assert!(combinations(&package(false, &["sails"])).is_empty());
    }
}
