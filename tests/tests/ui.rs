//! The messages of the macros: each file in `tests/ui` is compiled as an integration test of a generated package, and the
//! compiler's messages are compared with the `.messages` file beside it. A file without one must compile without a message,
//! and so must every example in the macros' documentation.
//!
//! One invocation of cargo compiles all of them, with the test harness (else it would skip test functions) and beside real
//! binaries. Only messages, places and notes are compared: their layout differs between versions of the compiler.
//!
//! Those whose name begins with `renamed_` are in a second package, which has the runtime under the name `trial`.
//!
//! `UPDATE_EXPECTED=1 cargo test -p seatrial-tests --test ui` rewrites the files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

#[test]
fn the_compiler_says_what_is_expected() -> anyhow::Result<()> {
    let mut cases = written()?;
    cases.extend(documented()?);
    let package = Package::write(&cases)?;
    let said = package.check()?;
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut differences = String::new();
    for (name, case) in &cases {
        let actual = said
            .get(name)
            .with_context(|| format!("{name} was not compiled"))?;
        if case.expected == *actual {
            continue;
        }
        match &case.expected_at {
            Some(at) if update && actual.is_empty() => fs::remove_file(at)?,
            Some(at) if update => fs::write(at, actual)?,
            _ => writeln!(
                differences,
                "{name}: expected\n{}but the compiler said\n{actual}",
                case.expected
            )?,
        }
    }
    ensure!(differences.is_empty(), "{differences}");
    Ok(())
}

/// An integration test, and the compiler's messages about it.
struct Case {
    source: String,
    expected: String,
    /// The file of the expected messages; `None` for an example, which must compile.
    expected_at: Option<PathBuf>,
}

/// The cases in `tests/ui`, by name.
fn written() -> anyhow::Result<BTreeMap<String, Case>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let mut cases = BTreeMap::new();
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_stem()
        {
            let expected_at = path.with_extension("messages");
            let case = Case {
                source: fs::read_to_string(&path)?,
                expected: fs::read_to_string(&expected_at).unwrap_or_default(),
                expected_at: Some(expected_at),
            };
            cases.insert(name.to_string_lossy().into_owned(), case);
        }
    }
    ensure!(!cases.is_empty(), "no case in {}", directory.display());
    Ok(cases)
}

/// The examples in the macros' documentation. The macros' crate cannot compile them, as it does not depend on the runtime,
/// and documentation tests skip test functions.
fn documented() -> anyhow::Result<BTreeMap<String, Case>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../macros/docs");
    let mut cases = BTreeMap::new();
    for page in ["composition", "test"] {
        let text = fs::read_to_string(directory.join(page).with_extension("md"))?;
        for (number, example) in text.split("```rust\n").skip(1).enumerate() {
            let code = example.split("```").next().unwrap_or_default();
            let visible = code
                .lines()
                .map(|line| line.trim_start().strip_prefix("# ").unwrap_or(line));
            let case = Case {
                source: visible.fold("#![allow(dead_code)]\n".to_owned(), |code, line| {
                    code + line + "\n"
                }),
                expected: String::new(),
                expected_at: None,
            };
            cases.insert(format!("documented_{page}_{number}"), case);
        }
    }
    ensure!(cases.len() > 2, "no examples in {}", directory.display());
    Ok(cases)
}

/// The package that has the cases as integration tests, and a second package that names the runtime otherwise.
struct Package {
    root: PathBuf,
}

impl Package {
    /// Files that the cases may name, beside themselves.
    const FILES: [(&'static str, &'static str); 9] = [
        ("src/bin/shop.rs", "fn main() {}\n"),
        ("src/bin/worker.rs", "fn main() {}\n"),
        (
            "server/Cargo.toml",
            "[package]\nname = \"server\"\nversion = \"0.0.0\"\nedition = \"2024\"\n",
        ),
        ("server/src/main.rs", "fn main() {}\n"),
        ("server/src/bin/migrate.rs", "fn main() {}\n"),
        (
            "tools/Cargo.toml",
            "[package]\nname = \"tools\"\nversion = \"0.0.0\"\nedition = \"2024\"\n",
        ),
        ("tools/src/bin/seed.rs", "fn main() {}\n"),
        ("seed.sql", "SELECT 1;\n"),
        (
            "docker/Dockerfile",
            "ARG BASE\nFROM $BASE AS build\nFROM debian AS runtime\nARG VERSION\nARG FLAVOR\n",
        ),
    ];

    fn write(cases: &BTreeMap<String, Case>) -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the tests are in the workspace")?;
        let manifest = |package: &str, dependency: &str| {
            format!(
                "[package]\nname = {package:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                 [dependencies]\nanyhow = \"1\"\n{dependency} = {{ package = \"seatrial\", path = {:?} }}\n\n",
                workspace.join("runtime")
            )
        };
        let profile = "[profile.dev]\ndebug = \"line-tables-only\"\n\n";
        let members = "[workspace]\nmembers = [\"renamed\", \"server\", \"tools\"]\n";
        let own = manifest("ui", "seatrial") + profile + members;
        write(&root.join("Cargo.toml"), &own)?;
        let renamed = root.join("renamed");
        write(&renamed.join("Cargo.toml"), &manifest("renamed", "trial"))?;
        write(&renamed.join("src/lib.rs"), "")?;
        // The versions that the workspace has, so that nothing is looked up in a registry.
        let lock = fs::read_to_string(workspace.join("Cargo.lock"))?;
        fs::write(root.join("Cargo.lock"), lock)?;
        for (path, content) in Self::FILES {
            write(&root.join(path), content)?;
        }
        let directories = [root.join("tests"), renamed.join("tests")];
        let place = |name: &str| {
            let directory = &directories[usize::from(name.starts_with("renamed_"))];
            directory.join(name).with_extension("rs")
        };
        for (name, case) in cases {
            write(&place(name), &case.source)?;
        }
        for directory in &directories {
            for entry in fs::read_dir(directory)? {
                let path = entry?.path();
                let known = path.file_stem().and_then(|name| name.to_str());
                if !known.is_some_and(|name| cases.contains_key(name) && place(name) == path) {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(Self { root })
    }

    /// The compiler's messages about each case.
    fn check(&self) -> anyhow::Result<BTreeMap<String, String>> {
        // The workspace's own, where what the runtime depends on is checked already.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .parent()
            .context("a target directory")?;
        let mut cargo = Command::new(env!("CARGO"));
        // Cargo tells this test the binaries of its own package, which are not those of the generated one.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_BIN_EXE_") {
                cargo.env_remove(name);
            }
        }
        let output = cargo
            .args(["check", "--workspace", "--tests", "--keep-going"])
            .arg("--offline")
            .args(["--message-format", "json", "--target-dir"])
            .arg(target)
            .current_dir(&self.root)
            .output()?;
        let mut said: BTreeMap<String, Vec<(u64, u64, String)>> = BTreeMap::new();
        for line in String::from_utf8(output.stdout)?.lines() {
            let event: Value = serde_json::from_str(line)?;
            if event["target"]["kind"][0] != "test" {
                continue;
            }
            let name = event["target"]["name"].as_str().unwrap_or_default();
            let messages = said.entry(name.to_owned()).or_default();
            if let Some(message) = message(&event["message"]) {
                // The library's and the test's compilation of one target say the same.
                if !messages.contains(&message) {
                    messages.push(message);
                }
            }
        }
        ensure!(
            !said.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(said
            .into_iter()
            .map(|(name, mut messages)| {
                messages.sort();
                let text = messages.into_iter().map(|(_, _, text)| text).collect();
                (name, text)
            })
            .collect())
    }
}

/// One message with its place, by which messages are sorted.
fn message(message: &Value) -> Option<(u64, u64, String)> {
    let level = message["level"].as_str()?;
    let spans = message["spans"].as_array()?;
    let primary = spans.iter().find(|span| span["is_primary"] == true)?;
    let number = |key: &str| primary[key].as_u64().unwrap_or_default();
    let (line, column) = (number("line_start"), number("column_start"));
    let mut text = format!("{level}: {}\n", message["message"].as_str()?);
    let code = covered(primary);
    let _ = write!(text, "  at {line}:{column} {code}");
    if let Some(label) = primary["label"].as_str() {
        let _ = write!(text, "\n  {label}");
    }
    for note in message["children"].as_array()? {
        // For a trait that a type lacks, those without a place are the trait's own words: what to write instead.
        let has_place = note["spans"]
            .as_array()
            .is_some_and(|spans| !spans.is_empty());
        if message["code"]["code"] == "E0277" && note["level"] == "note" && !has_place {
            let _ = write!(
                text,
                "\n  {}",
                note["message"].as_str()?.replace('\n', "\n  ")
            );
        }
    }
    text.push_str("\n\n");
    Some((line, column, text))
}

/// The text that a span covers, on its first line.
fn covered(span: &Value) -> String {
    let line = &span["text"][0];
    let highlighted = |key: &str| line[key].as_u64().and_then(|at| usize::try_from(at).ok());
    let text = line["text"].as_str().unwrap_or_default();
    match (highlighted("highlight_start"), highlighted("highlight_end")) {
        (Some(start), Some(end)) => text
            .chars()
            .skip(start.saturating_sub(1))
            .take(end.saturating_sub(start))
            .collect(),
        _ => text.to_owned(),
    }
}

/// Writes a file only if its content changes, so that cargo does not compile it again.
fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, content).with_context(|| format!("failed to write {}", path.display()))
}
