//! One cargo that runs tests of the packages in `tests/sharing`, and what came of it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use seatrial_tests::events::Events;

use crate::engine::{self, Created, Recording};

/// Says that the tests which need cargo-nextest are not wanted where it is not installed.
const WITHOUT_NEXTEST: &str = "SEATRIAL_TESTS_WITHOUT_NEXTEST";

/// How long a supervisor may take to end once its run is over.
const DEADLINE: Duration = Duration::from_secs(60);
/// The pace at which its end is looked for, of which nothing tells.
const PACE: Duration = Duration::from_millis(10);

/// What a run has done and said. Nothing is left of it.
pub(crate) struct Ended {
    pub(crate) output: String,
    pub(crate) events: Events,
    pub(crate) created: Created,
}

/// Runs the ignored tests of all targets of these names under `cargo test`, which must all pass.
#[track_caller]
pub(crate) fn cargo_test(targets: &[&str]) -> Ended {
    let mut command = cargo();
    command.arg("test").args(selected(targets));
    command.args(["--", "--ignored"]);
    run(command)
}

/// As [`cargo_test`], under `cargo nextest`; `None` where that is not installed and need not be.
#[track_caller]
pub(crate) fn nextest(targets: &[&str]) -> Option<Ended> {
    let mut version = cargo();
    version
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        assert!(
            std::env::var_os(WITHOUT_NEXTEST).is_some(),
            "cargo-nextest is not installed: run `cargo install cargo-nextest --locked`, or set {WITHOUT_NEXTEST}=1"
        );
        return None;
    }
    let mut command = cargo();
    command.args(["nextest", "run"]).args(selected(targets));
    // A test is told of as leaky, and fails, in this project's own profile.
    command.args(["--run-ignored", "only", "--retries", "0"]);
    Some(run(command))
}

fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null());
    command
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
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        // Cargo begins a run of its own, as it does for users: nothing tells it of the one this process may be part of.
        if ["NEXTEST", "SEATRIAL_", "RUST_TEST_"]
            .iter()
            .any(|own| text.starts_with(own))
        {
            command.env_remove(&name);
        }
    }
    let events = Events::new(&format!("sharing-{number}"));
    command
        .env("SEATRIAL_EVENTS", events.path())
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
    let left = engine::left(run);
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
        let mut command = cargo();
        command.args(["test", "--no-run"]);
        command.args(selected(&["crew", "first", "second", "third", "main"]));
        let output = command.output().expect("cargo runs");
        assert!(output.status.success(), "{output:#?}");
    });
}

/// Waits until the process is gone, or dead and its parent has not looked yet.
#[track_caller]
fn until_ended(process: u32) {
    let begun = Instant::now();
    let runs = || {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let state = stat.rsplit(')').next().unwrap_or_default();
        !state.is_empty() && !state.starts_with(" Z")
    };
    while runs() {
        assert!(
            begun.elapsed() < DEADLINE,
            "the supervisor {process} runs on"
        );
        std::thread::sleep(PACE);
    }
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
