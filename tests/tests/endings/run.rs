//! A child process to be, which runs cases: its command, its surroundings, and a directory of its own.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seatrial_tests::child;
use seatrial_tests::waiting::comes_about;

use crate::cases;
use crate::ended::Ended;
use crate::running::Running;

/// How long anything may take before the test is given up: far more than it does, also where cargo waits for another
/// cargo.
const PATIENCE: Duration = Duration::from_secs(240);

/// Runs `check` as often as `ROUNDS` says, once by default.
pub(crate) fn rounds(check: impl Fn()) {
    let rounds = std::env::var("ROUNDS").ok();
    let rounds = rounds.map_or(1, |rounds| rounds.parse().expect("a number in ROUNDS"));
    (0..rounds).for_each(|_| check());
}

/// Waits for a condition.
#[track_caller]
pub(crate) fn until<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    comes_about(PATIENCE, condition).unwrap_or_else(|| panic!("waited too long: {what}"))
}

/// A child to be: its command, the label of what it creates, and a directory of its own.
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) command: Command,
    supervisor: Supervisor,
    directory: Directory,
}

/// Where the supervisor of a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supervisor {
    /// In a process of its own, which may outlive the child for a moment.
    Process,
    /// In the child, which is not gone before everything else is.
    InProcess,
}

/// The child's own directory, gone with it.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What the child and its supervisor have among temporary files and beside their sockets.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let own = ["temporary", "runtime"].map(|own| files(&self.path(own)));
        own.concat()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Run {
    /// A case, run as `cargo test` runs it: the test executable, in a process group of its own.
    pub(crate) fn direct(case: &str) -> Self {
        let executable = std::env::current_exe().expect("the path of this executable");
        let mut run = Self::new(Command::new(executable));
        run.command
            .args(["--ignored", "--exact", &format!("cases::{case}")]);
        run
    }

    /// A command that runs cases.
    pub(crate) fn new(mut command: Command) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let id = format!("endings-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(&id);
        for own in ["", "temporary", "runtime"] {
            std::fs::create_dir_all(directory.join(own)).expect("a directory");
        }
        child::leave_run(&mut command);
        command
            .env("SEATRIAL_RUN_ID", &id)
            .env("TMPDIR", directory.join("temporary"))
            .env("XDG_RUNTIME_DIR", directory.join("runtime"))
            .env(cases::RECORD, directory.join("record"))
            .env(cases::GO, directory.join("go"))
            .env("RUST_BACKTRACE", "0")
            .env("CARGO_TERM_COLOR", "never")
            .process_group(0)
            .stdin(Stdio::null());
        child::take_signals(&mut command);
        let run = Self {
            id,
            command,
            supervisor: Supervisor::Process,
            directory: Directory(directory),
        };
        let output = run.output_file();
        run.with_output(output.try_clone().expect("a second handle"), output)
    }

    /// Has the supervisor in the child.
    pub(crate) fn in_process(mut self) -> Self {
        self.command.env("SEATRIAL_SUPERVISOR", "in-process");
        self.supervisor = Supervisor::InProcess;
        self
    }

    /// The file that [`Ended::output`] is read from.
    pub(crate) fn output_file(&self) -> File {
        let options = File::options()
            .create(true)
            .append(true)
            .open(self.path("output"));
        options.expect("a file for the output")
    }

    pub(crate) fn with_output(mut self, out: impl Into<Stdio>, error: impl Into<Stdio>) -> Self {
        self.command.stdout(out).stderr(error);
        self
    }

    /// A path in the child's own directory, beside its temporary files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path(name)
    }

    pub(crate) fn spawn(mut self) -> Running {
        let child = self.command.spawn().expect("a child process");
        Running::new(self.id, child, self.supervisor, self.directory)
    }

    /// Runs it to its own end.
    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        self.spawn().end()
    }

    /// Runs a case whose time is limited to its end: once more where a busy machine has used up that time before its
    /// services were there.
    #[track_caller]
    pub(crate) fn end_out_of_time(run: impl Fn() -> Self) -> Ended {
        until("its services are there in time", || {
            let ended = run().end();
            let too_early = ended.output.contains("its services were being launched");
            (!too_early).then_some(ended)
        })
    }
}

/// What is in a directory, with its path.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}
