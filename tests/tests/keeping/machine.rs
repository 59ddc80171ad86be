//! A machine, as Seatrial sees it: a runtime directory that only one test uses, so a keeper of its own, and the end of all
//! that.
//!
//! Other tests have keepers beside it. What belongs to this one's is told by the label of its owner, which names one
//! process.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seatrial_tests::{child, engine, waiting};
use serde_json::Value;

use crate::record::Kept;
use crate::run::Run;

/// How long anything may take before the test is given up: far more than it does.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for a condition.
#[track_caller]
pub(crate) fn until(what: &str, condition: impl FnMut() -> bool) {
    assert!(comes_about(condition), "waited too long: {what}");
}

fn comes_about(mut condition: impl FnMut() -> bool) -> bool {
    waiting::comes_about(PATIENCE, || condition().then_some(())).is_some()
}

/// What the runs of one test share. Dropping it removes all of it.
pub(crate) struct Machine {
    name: String,
    directory: PathBuf,
    runs: Cell<u32>,
    /// The keepers there have been, as the labels of what they keep name them.
    keepers: RefCell<BTreeSet<String>>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("seatrial-keeping-{}-{number}", std::process::id());
        let machine = Self {
            directory: std::env::temp_dir().join(&name),
            name,
            runs: Cell::new(0),
            keepers: RefCell::default(),
        };
        for own in ["runtime", "temporary"] {
            std::fs::create_dir_all(machine.path(own)).expect("a directory");
        }
        machine
    }

    /// A name that no other test has.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A path in the directory of this machine.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A run to be, of one case.
    pub(crate) fn run(&self, case: &str) -> Run<'_> {
        self.runs.set(self.runs.get() + 1);
        Run::new(self, format!("{}-{}", self.name, self.runs.get()), case)
    }

    /// Learns from what a run has recorded who keeps its services.
    pub(crate) fn learn(&self, record: &Value) {
        match record {
            Value::String(text) if is_id(text) => self.learn_keeper_of(text),
            Value::Array(values) => values.iter().for_each(|value| self.learn(value)),
            Value::Object(values) => values.values().for_each(|value| self.learn(value)),
            _ => {}
        }
    }

    fn learn_keeper_of(&self, container: &str) {
        if engine::label(container, "dev.seatrial.run").as_deref() == Some("kept") {
            let owner = engine::label(container, "dev.seatrial.owner");
            self.keepers.borrow_mut().extend(owner);
        }
    }

    /// The only keeper there has been: the label that names it, and its process.
    #[track_caller]
    pub(crate) fn keeper(&self) -> (String, u32) {
        let keepers = self.keepers.borrow();
        assert_eq!(keepers.len(), 1, "{keepers:?}");
        let owner = keepers.first().expect("there is one");
        (owner.clone(), process_of(owner))
    }

    /// Waits until a run has ended, with its supervisor.
    #[track_caller]
    pub(crate) fn until_run_has_ended(&self, id: &str) {
        let entry = format!("SEATRIAL_RUN_ID={id}");
        until("the run's processes end", || {
            child::with_in_environment(&entry).is_empty()
        });
    }

    /// Has what is kept dropped, and sees that nothing is left then. What was dropped.
    #[track_caller]
    pub(crate) fn end(self) -> Vec<Kept> {
        let dropping = self.run("drops").end();
        assert!(dropping.kept("kept").is_empty(), "{:#}", dropping.record);
        let dropped = dropping.kept("dropped");
        self.end_by_itself();
        dropped
    }

    /// Sees that the keeper ends without being asked to, and nothing is left then.
    #[track_caller]
    pub(crate) fn end_by_itself(self) {
        until("the keeper ends", || self.processes().is_empty());
        let mut left = Vec::new();
        for own in ["runtime", "temporary"] {
            let files = std::fs::read_dir(self.path(own)).expect("a directory");
            let files = files.map(|file| file.expect("an entry").path());
            left.extend(files.map(|file| format!("file {}", file.display())));
        }
        let keepers = self.keepers.borrow();
        assert!(!keepers.is_empty(), "nothing was kept");
        left.extend(keepers.iter().flat_map(|owner| engine::of_owner(owner)));
        assert!(left.is_empty(), "left behind: {left:#?}");
    }

    /// All processes of its runs, and its keeper.
    fn processes(&self) -> Vec<u32> {
        let runtime = self.path("runtime");
        child::with_in_environment(&format!("XDG_RUNTIME_DIR={}", runtime.display()))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // There is something to do only where the test has failed, or has left something on purpose.
        for process in self.processes() {
            child::signal(child::number(process), libc::SIGTERM);
        }
        let have_ended = comes_about(|| self.processes().is_empty());
        if have_ended && std::thread::panicking() {
            for owner in self.keepers.borrow().iter() {
                engine::clean_of_owner(owner);
            }
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Whether it is the engine's id of something, rather than a text.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The process that the label of an owner names.
fn process_of(owner: &str) -> u32 {
    let pid = owner.split('/').nth(1).and_then(|pid| pid.parse().ok());
    pid.unwrap_or_else(|| panic!("no process in `{owner}`"))
}
