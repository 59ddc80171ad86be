//! One child process that runs cases, and what must be true of it at its end.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use seatrial_tests::child;
use serde_json::Value;

use crate::{cases, engine};

/// How long anything may take before the test is given up: far more than it does, also where cargo waits for another
/// cargo.
const PATIENCE: Duration = Duration::from_secs(240);
/// The pace at which conditions are looked at that nothing tells of.
const PACE: Duration = Duration::from_millis(10);

/// Runs `check` as often as `ROUNDS` says, once by default.
pub(crate) fn rounds(check: impl Fn()) {
    let rounds = std::env::var("ROUNDS").ok();
    let rounds = rounds.map_or(1, |rounds| rounds.parse().expect("a number in ROUNDS"));
    (0..rounds).for_each(|_| check());
}

/// Waits for a condition.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(begun.elapsed() < PATIENCE, "waited too long: {what}");
        std::thread::sleep(PACE);
    }
}

/// A child to be: its command, the label of what it creates, and a directory of its own.
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) command: Command,
    directory: Directory,
}

/// A child that runs.
pub(crate) struct Running {
    pub(crate) id: String,
    directory: Option<Directory>,
    child: Child,
    status: Option<ExitStatus>,
}

/// A child that has ended, with nothing left of it.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
    /// What its case recorded, if it came so far.
    record: Option<Value>,
    _directory: Directory,
}

/// The child's own directory, gone with it.
struct Directory(PathBuf);

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
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            // A child is no part of the run this process may be part of.
            if ["NEXTEST", "SEATRIAL_", "RUST_TEST_"]
                .iter()
                .any(|own| text.starts_with(own))
            {
                command.env_remove(&name);
            }
        }
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
            directory: Directory(directory),
        };
        let output = run.output_file();
        run.with_output(output.try_clone().expect("a second handle"), output)
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
        self.directory.0.join(name)
    }

    pub(crate) fn spawn(mut self) -> Running {
        let child = self.command.spawn().expect("a child process");
        Running {
            id: self.id,
            directory: Some(self.directory),
            child,
            status: None,
        }
    }

    /// Runs it to its own end.
    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        self.spawn().end()
    }
}

impl Running {
    fn path(&self, name: &str) -> PathBuf {
        let directory = self
            .directory
            .as_ref()
            .expect("it has not been seen to end");
        directory.0.join(name)
    }

    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(self.path("output")).unwrap_or_default()
    }

    fn record(&self) -> Option<Value> {
        let text = std::fs::read_to_string(self.path("record")).ok()?;
        Some(serde_json::from_str(&text).expect("a record"))
    }

    /// Lets the case go on that waits for it.
    pub(crate) fn go(&self) {
        File::create(self.path("go")).expect("a file");
    }

    /// Waits for a condition, which does not come about any more once the child has ended.
    #[track_caller]
    pub(crate) fn until<T>(&mut self, what: &str, condition: impl Fn(&Self) -> Option<T>) -> T {
        until(what, || {
            let value = condition(self);
            if value.is_none() && self.has_ended() {
                panic!("it has ended, before {what}:\n{}", self.output());
            }
            value
        })
    }

    /// Waits until the case has its services and says so.
    #[track_caller]
    pub(crate) fn until_recorded(&mut self) {
        self.until("its services are ready", Self::record);
    }

    #[track_caller]
    pub(crate) fn until_said(&mut self, text: &str) {
        self.until(&format!("it said `{text}`"), |run| {
            run.output().contains(text).then_some(())
        });
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.child.try_wait().expect("its status");
        }
        self.status.is_some()
    }

    /// Signals the process alone.
    pub(crate) fn signal(&self, signal: libc::c_int) {
        self.send(1, signal);
    }

    /// Signals its whole group, as a terminal does.
    pub(crate) fn signal_group(&self, signal: libc::c_int) {
        self.send(-1, signal);
    }

    /// Sends several signals that arrive together: while the process is stopped, so that it sees none before the last.
    #[track_caller]
    pub(crate) fn signal_at_once(&mut self, signals: &[libc::c_int]) {
        self.signal(libc::SIGSTOP);
        self.until("all of its threads are stopped", |run| {
            run.is_stopped().then_some(())
        });
        for signal in signals {
            self.signal(*signal);
        }
        self.signal(libc::SIGCONT);
    }

    fn is_stopped(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        threads.expect("its threads").flatten().all(|thread| {
            let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            let state = stat.rsplit(')').next().unwrap_or_default();
            // A thread that has just ended has no state any more.
            state.is_empty() || state.starts_with(" T")
        })
    }

    fn send(&self, sign: libc::pid_t, signal: libc::c_int) {
        let pid = libc::pid_t::try_from(self.child.id()).expect("a process id");
        // SAFETY: the call touches no memory; the child is not waited for yet or was our own until now.
        unsafe { libc::kill(sign * pid, signal) };
    }

    /// Waits for its end, and sees that nothing is left then.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        until(&format!("its end; it has said:\n{}", self.output()), || {
            self.has_ended().then_some(())
        });
        let record = self.record();
        // A harness that is interrupted ends before the test does, which is in its group and has been told as well.
        if let Some(test) = record.as_ref().and_then(|record| record["pid"].as_u64()) {
            until("the end of the test's process", || {
                is_gone(test).then_some(())
            });
        }
        let output = self.output();
        let left = engine::of(&self.id);
        assert!(left.is_empty(), "left behind: {left:#?}\n{output}");
        for volume in record.iter().flat_map(|record| strings(&record["volumes"])) {
            assert!(!engine::has_volume(&volume), "left: {volume}\n{output}");
        }
        for own in ["temporary", "runtime"] {
            let left = files(&self.path(own));
            assert!(left.is_empty(), "left behind: {left:#?}\n{output}");
        }
        Ended {
            status: self.status.expect("it has ended"),
            output,
            record,
            _directory: self.directory.take().expect("its end is seen once"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            // The test that drove it has failed. All that can be done is not to leave it waiting.
            self.signal_group(libc::SIGTERM);
            let _ = self.child.wait();
        }
    }
}

impl Ended {
    /// It exited with this code.
    #[track_caller]
    pub(crate) fn exited(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.output);
        self
    }

    /// A signal has ended it.
    #[track_caller]
    pub(crate) fn was_ended_by(self, signal: libc::c_int) -> Self {
        assert_eq!(self.status.signal(), Some(signal), "{}", self.output);
        self
    }

    #[track_caller]
    pub(crate) fn said(self, text: &str) -> Self {
        assert!(
            self.output.contains(text),
            "`{text}` is not in:\n{}",
            self.output
        );
        self
    }

    #[track_caller]
    pub(crate) fn said_once(self, text: &str) -> Self {
        assert_eq!(
            self.output.matches(text).count(),
            1,
            "`{text}` in:\n{}",
            self.output
        );
        self
    }

    #[track_caller]
    pub(crate) fn did_not_say(self, text: &str) -> Self {
        assert!(
            !self.output.contains(text),
            "`{text}` is in:\n{}",
            self.output
        );
        self
    }

    /// Whether its services were there.
    pub(crate) fn has_recorded(&self) -> bool {
        self.record.is_some()
    }

    /// Its services were there: with the volumes that are gone now, and reachable from this machine alone.
    #[track_caller]
    pub(crate) fn had_services(self) -> Self {
        let record = self.record.as_ref().expect("a record");
        // Two anonymous ones; `data` twice; `scratch`.
        assert_eq!(strings(&record["volumes"]).len(), 5, "{record:#}");
        assert_eq!(
            strings(&record["addresses"]),
            ["127.0.0.1"; 3],
            "{record:#}"
        );
        self
    }
}

fn strings(list: &Value) -> Vec<String> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// All files below a directory, with their paths.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

/// Whether no process of this number runs any more: it is gone, or dead and its parent has not looked yet.
pub(crate) fn is_gone(process: u64) -> bool {
    let mut stat = String::new();
    File::open(format!("/proc/{process}/stat"))
        .and_then(|mut file| file.read_to_string(&mut stat))
        .is_err()
        || stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.starts_with(" Z"))
}
