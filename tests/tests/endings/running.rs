//! A child process that runs cases, and what must be true when it has ended.
//!
//! Where the supervisor is in the child, nothing may be left at the moment the child is gone; where it is a process of
//! its own, at the moment that one is gone, too. It is looked for strictly at that moment: nobody is left then who would
//! remove anything.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use seatrial_tests::engine;
use seatrial_tests::waiting::comes_about;
use serde_json::Value;

use crate::ended::{Ended, strings};
use crate::processes;
use crate::run::{Directory, Run, Supervisor, until};

/// How long a supervisor may take to remove everything, once its run is over. Its own limits are well below that.
const REMOVAL: Duration = Duration::from_secs(60);

/// A child that runs.
pub(crate) struct Running {
    pub(crate) id: String,
    directory: Option<Directory>,
    child: Child,
    status: Option<ExitStatus>,
    supervisor: Supervisor,
}

impl Running {
    pub(crate) fn new(
        id: String,
        child: Child,
        supervisor: Supervisor,
        directory: Directory,
    ) -> Self {
        Self {
            id,
            directory: Some(directory),
            child,
            status: None,
            supervisor,
        }
    }

    fn directory(&self) -> &Directory {
        let directory = self.directory.as_ref();
        directory.expect("it has not been seen to end")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory().path(name)
    }

    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(self.path("output")).unwrap_or_default()
    }

    fn record(&self) -> Option<Value> {
        self.record_at("record")
    }

    /// What a case recorded in this file.
    pub(crate) fn record_at(&self, name: &str) -> Option<Value> {
        let text = std::fs::read_to_string(self.path(name)).ok()?;
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
        // It is not waited for yet, or was our own until now.
        processes::signal(sign * processes::number(self.child.id()), signal);
    }

    /// Waits until the run has a supervisor.
    pub(crate) fn until_supervised(&mut self) -> u32 {
        self.until("a supervisor runs", |run| processes::supervisor(&run.id))
    }

    /// Kills the run's supervisor. What it had goes with the next run: see [`Self::end_abandoned`].
    pub(crate) fn kill_supervisor(&mut self) {
        let supervisor = self.until_supervised();
        processes::signal(processes::number(supervisor), libc::SIGKILL);
    }

    /// Waits for its end, and sees that nothing is left then.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        self.until_gone();
        if self.supervisor == Supervisor::Process {
            self.until_run_has_ended();
        }
        let (output, record) = (self.output(), self.record());
        let left = engine::of(&self.id);
        assert!(left.is_empty(), "left behind: {left:#?}\n{output}");
        for volume in record.iter().flat_map(|record| strings(&record["volumes"])) {
            assert!(!engine::has_volume(&volume), "left: {volume}\n{output}");
        }
        let left = self.directory().files();
        assert!(left.is_empty(), "left behind: {left:#?}\n{output}");
        self.into_ended()
    }

    /// Waits for the end of a child that left something, and sees that nothing is left of it after the next run.
    #[track_caller]
    pub(crate) fn end_abandoned(mut self) -> Ended {
        self.until_gone();
        let mut next = Run::direct("passes");
        let runtime = self.path("runtime");
        next.command.env("XDG_RUNTIME_DIR", &runtime);
        let next = next.spawn().end();
        let output = &next.exited(0).output;
        let left = engine::of(&self.id);
        assert!(left.is_empty(), "left behind: {left:#?}\n{output}");
        let left: Vec<_> = self.directory().files();
        assert!(left.is_empty(), "left behind: {left:#?}\n{output}");
        self.into_ended()
    }

    /// Waits for the end of the child itself.
    #[track_caller]
    pub(crate) fn until_gone(&mut self) {
        until(&format!("its end; it has said:\n{}", self.output()), || {
            self.has_ended().then_some(())
        });
    }

    /// Waits until no process of the run is left: not the supervisor, and nothing that it or a harness has started.
    #[track_caller]
    fn until_run_has_ended(&self) {
        let mut left = Vec::new();
        let ended = comes_about(REMOVAL, || {
            // A supervisor that is just being started does not show its environment yet, but has its directory.
            let files = self.directory().files();
            let processes = processes::of(&self.id);
            let files = files.iter().map(|file| format!("file {}", file.display()));
            let processes = processes
                .iter()
                .map(|(pid, name)| format!("process {pid} ({name})"));
            left = files.chain(processes).collect();
            left.is_empty().then_some(())
        });
        if ended.is_none() {
            let containers = engine::containers(&self.id);
            let output = self.output();
            panic!("left behind: {left:#?}, and containers: {containers:#?}\n{output}");
        }
    }

    fn into_ended(mut self) -> Ended {
        Ended {
            status: self.status.expect("it has ended"),
            output: self.output(),
            record: self.record(),
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
