//! One cargo that runs tests of the packages in `tests/sharing`, and what came of it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seatrial_tests::events::Events;
use seatrial_tests::waiting::comes_about;
use seatrial_tests::{cargo, child, engine};

use crate::created::{Created, Recording};

/// How long a supervisor may take to end once its run is over.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a run has done and said. Nothing is left of it.
pub(crate) struct Ended {
    pub(crate) output: String,
    pub(crate) events: Events,
    pub(crate) created: Created,
}

/// Runs the ignored tests of all targets of these names under `cargo test`, which must all pass.
#[track_caller]
pub(crate) fn cargo_test(targets: &[&str]) -> Ended {
    let mut command = cargo::cargo();
    command.arg("test").args(selected(targets));
    command.args(["--", "--ignored"]);
    run(command)
}

/// As [`cargo_test`], under `cargo nextest`; `None` where that is not installed and need not be.
#[track_caller]
pub(crate) fn nextest(targets: &[&str]) -> Option<Ended> {
    let mut command = cargo::nextest()?;
    command.args(selected(targets));
    // A test is told of as leaky, and fails, in this project's own profile.
    command.args(["--run-ignored", "only", "--retries", "0"]);
    Some(run(command))
}

/// With `--workspace` as CI builds it: then cargo has nothing to build but what has changed.
fn selected<'a>(targets: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let targets = targets.iter().flat_map(|target| ["--test", target]);
    ["--workspace"].into_iter().chain(targets)
}

#[track_caller]
fn run(mut command: Command) -> Ended {
    build();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let directory = Directory::new(&format!("sharing-{}-{number}", std::process::id()));
    child::leave_run(&mut command);
    let events = Events::new(&format!("sharing-{number}"));
    command
        .env("SEATRIAL_EVENTS", events.path())
        // What is brought up ahead belongs to nobody who could be counted.
        .env("SEATRIAL_AHEAD", "0")
        .env("XDG_RUNTIME_DIR", &directory.0)
        .env("CARGO_TERM_COLOR", "never");
    let recording = Recording::begin();
    let output = command.output().expect("cargo runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{text}");

    let runs = events.runs();
    let run = runs.first().expect("events were written");
    assert_eq!(runs.len(), 1, "{runs:?}\n{text}");
    let created = recording.created(run);
    until_ended(created.owner());
    let left = engine::of(run);
    assert!(left.is_empty(), "left behind: {left:#?}\n{text}");
    let files = std::fs::read_dir(&directory.0).expect("a directory");
    let files: Vec<_> = files.map(|entry| entry.expect("an entry").path()).collect();
    assert!(files.is_empty(), "left behind: {files:#?}\n{text}");
    Ended {
        output: text,
        events,
        created,
    }
}

/// Has everything built, however long it takes and whoever else builds.
fn build() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut command = cargo::cargo();
        command.args(["test", "--no-run"]);
        command.args(selected(&["crew", "first", "second", "third", "main"]));
        let output = command.output().expect("cargo runs");
        assert!(output.status.success(), "{output:#?}");
    });
}

/// Waits until the process has ended.
#[track_caller]
fn until_ended(process: u32) {
    let ended = comes_about(DEADLINE, || child::is_gone(process).then_some(()));
    assert!(ended.is_some(), "the supervisor {process} runs on");
}

/// A directory of this run's own, gone when dropped.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
