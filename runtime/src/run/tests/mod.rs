//! Real supervisors in processes of their own: this test executable, started again.
//!
//! Each test has a directory of its own for the runs, and a process of its own with which its run ends, so that
//! nothing is left when a test fails or is killed.

mod child;
mod descriptors;
mod elections;
mod endings;

mod real;
mod strangers;
pub(super) mod supervisor;

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::directory::RunDirectory;
use super::election::Election;
use super::error::StartError;
use super::process::ProcessId;

/// The variable that makes a started supervisor that of `supervisor.rs`; its value says how it behaves.
pub(super) const SUPERVISOR: &str = "SEATRIAL_TEST_SUPERVISOR";

/// Long enough for whatever has to happen on a machine that is busy.
const LONG: Duration = Duration::from_secs(60);

/// The key of the one run that a test has.
const KEY: &str = "the run";

/// A run.
struct Fixture {
    parent: PathBuf,
    process: ProcessId,
    /// Ends when its standard input is closed, at the latest with this process.
    child: Child,
}

impl Fixture {
    fn new(name: &str) -> Self {
        let name = format!("seatrial-run-{}-{name}", std::process::id());
        let child = Command::new("cat")
            .stdin(Stdio::piped())
            .spawn()
            .expect("a child");
        Self {
            parent: std::env::temp_dir().join(name),
            process: ProcessId::of(child.id()).expect("it runs"),
            child,
        }
    }

    fn directory(&self) -> RunDirectory {
        RunDirectory::below(&self.parent, KEY)
    }

    /// Where a test may leave word: beside the directories of the runs.
    fn note(&self) -> PathBuf {
        note(&self.directory())
    }

    /// Which supervisor has left word. It is taken away.
    fn noted(&self) -> ProcessId {
        let note = std::fs::read_to_string(self.note()).expect("word");
        std::fs::remove_file(self.note()).expect("a file");
        note.parse().expect("a process")
    }

    fn election(&self) -> Election<'static> {
        Election {
            environment: &[(SUPERVISOR, "minimal")],
            ..Election::new(self.directory(), self.process)
        }
    }

    fn attach(&self) -> Client {
        Client::attach(&self.election()).expect("a supervisor")
    }

    /// Ends the process with which the run ends.
    fn end(&mut self) {
        self.child.kill().expect("a signal");
        self.child.wait().expect("its end");
    }

    /// Waits until the supervisor has left, with everything.
    fn wait_until_nothing_is_left(&self) {
        wait_until("the run's directory is gone", || !self.parent.exists());
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Word that was being written when its writer was killed.
        let _ = std::fs::remove_file(self.note().with_extension("new"));
        if std::thread::panicking() {
            let _ = std::fs::remove_file(self.note());
            let _ = std::fs::remove_dir_all(&self.parent);
        } else {
            self.wait_until_nothing_is_left();
            let is_noted = std::fs::remove_file(self.note()).is_ok();
            assert!(!is_noted, "two supervisors at once");
        }
    }
}

fn note(directory: &RunDirectory) -> PathBuf {
    let parent = directory.path().parent().expect("a parent");
    parent.with_extension("note")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {LONG:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A connection that a supervisor has answered.
struct Client {
    supervisor: ProcessId,
    stream: UnixStream,
}

impl Client {
    /// Connects as `election.rs` asks for: again where the supervisor was just leaving.
    fn attach(election: &Election<'_>) -> Result<Self, StartError> {
        loop {
            let connection = election.connect()?;
            if let Ok(Some(supervisor)) = greet(&connection.stream) {
                return Ok(Self {
                    supervisor,
                    stream: connection.stream,
                });
            }
        }
    }
}

/// Which process answers; none where the connection ends before.
fn greet(mut stream: &UnixStream) -> io::Result<Option<ProcessId>> {
    stream.write_all(b"who\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line.trim().parse().ok())
}

/// A directory that others may enter, so that more than its mode has to keep them out.
fn open_to_others(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
}
