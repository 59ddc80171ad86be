//! One round: a run of tests under an id and in directories of its own, its processes, and what they have written.
//!
//! A process is the round's where the round's variable is in its environment, and only such a process is ever killed.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::process::Process;

/// The variable that makes a process one of a run.
const RUN_ID: &str = "SEATRIAL_RUN_ID";

/// The pace at which conditions are looked at that nothing tells of.
pub(super) const PACE: Duration = Duration::from_millis(20);

/// How long a run may take: far more than it does.
const ENDS_WITHIN: Duration = Duration::from_secs(180);

/// How much of a run's output is shown where a round has failed.
const LINES: usize = 60;

pub(super) struct Round {
    pub(super) id: String,
    directory: PathBuf,
    /// Where the run's supervisor has its directory.
    runtime: PathBuf,
    ends_within: Duration,
}

impl Round {
    /// A round with nothing in it yet.
    pub(super) fn new(name: &str, number: u32) -> Result<Self> {
        let id = format!("soak-{name}-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(&id);
        let round = Self {
            id,
            runtime: directory.join("runtime"),
            directory,
            ends_within: ENDS_WITHIN,
        };
        for own in ["temporary", "runtime", "records"] {
            fs::create_dir_all(round.directory.join(own))
                .with_context(|| format!("cannot create {}", round.directory.display()))?;
        }
        Ok(round)
    }

    /// Has its supervisor and the other's find each other's directories, as those of one user do.
    pub(super) fn on_machine_of(mut self, other: &Self) -> Self {
        self.runtime.clone_from(&other.runtime);
        self
    }

    /// Has it take so long at most.
    pub(super) fn within(mut self, ends_within: Duration) -> Self {
        self.ends_within = ends_within;
        self
    }

    /// Makes a command one of the round's run.
    pub(super) fn prepare(&self, command: &mut Command) -> Result<()> {
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let is_others = ["NEXTEST", "SEATRIAL_", "RUST_TEST_", "CARGO_PKG_"];
            if is_others.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        let output = self.directory.join("output");
        let output = File::options().create(true).append(true).open(output)?;
        command
            .env(RUN_ID, &self.id)
            .env("SEATRIAL_EVENTS", self.events_file())
            .env("SOAK_RECORDS", self.directory.join("records"))
            .env("TMPDIR", self.directory.join("temporary"))
            .env("XDG_RUNTIME_DIR", self.runtime())
            .env("CARGO_TERM_COLOR", "never")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        Ok(())
    }

    /// Where the run's supervisor has its directory.
    pub(super) fn runtime(&self) -> PathBuf {
        self.runtime.clone()
    }

    fn events_file(&self) -> PathBuf {
        self.directory.join("events")
    }

    /// The names of what tests have written down and that begin with `prefix`, without it.
    pub(super) fn records(&self, prefix: &str) -> Vec<String> {
        let entries = fs::read_dir(self.directory.join("records"));
        let names = entries.into_iter().flatten().flatten();
        names
            .filter_map(|entry| Some(entry.file_name().to_str()?.strip_prefix(prefix)?.to_owned()))
            .collect()
    }

    /// What is in a record.
    pub(super) fn record(&self, name: &str) -> Result<String> {
        let path = self.directory.join("records").join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// How often something happened to a service.
    pub(super) fn count(&self, service: &str, event: &str) -> Result<usize> {
        let text = fs::read_to_string(self.events_file()).unwrap_or_default();
        let mut count = 0;
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).context("an event is not JSON")?;
            count += usize::from(line["service"] == service && line["event"] == event);
        }
        Ok(count)
    }

    /// Whether a process is of this round. One that has ended is of none.
    pub(super) fn has(&self, process: u32) -> bool {
        let entry = format!("{RUN_ID}={}", self.id);
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|it| it == entry.as_bytes())
    }

    /// The round's processes.
    pub(super) fn processes(&self) -> Vec<Process> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        ids.filter(|id| self.has(*id))
            .filter_map(|id| {
                let words = fs::read(format!("/proc/{id}/cmdline")).ok()?;
                let words = String::from_utf8_lossy(&words).into_owned();
                let arguments = words.split('\0').map(str::to_owned).collect();
                Some(Process { id, arguments })
            })
            .collect()
    }

    /// Waits until `seen` sees what it looks for in the round's processes; `None` where the run is over before.
    pub(super) fn until<T>(
        &self,
        run: &mut Child,
        mut seen: impl FnMut(&[Process]) -> Option<T>,
    ) -> Result<Option<T>> {
        let begun = Instant::now();
        loop {
            if let Some(value) = seen(&self.processes()) {
                return Ok(Some(value));
            }
            if run.try_wait()?.is_some() {
                return Ok(None);
            }
            self.check_time(begun)?;
            thread::sleep(PACE / 2);
        }
    }

    /// Waits for the end of a run.
    pub(super) fn ended(&self, run: &mut Child) -> Result<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = run.try_wait()? {
                return Ok(status);
            }
            self.check_time(begun)?;
            thread::sleep(PACE);
        }
    }

    /// Ends the round where it takes too long since `begun`.
    pub(super) fn check_time(&self, begun: Instant) -> Result<()> {
        let within = self.ends_within;
        if begun.elapsed() > within {
            let processes = self.processes();
            self.kill_all();
            bail!("after {within:?} the run had not ended; its processes: {processes:?}");
        }
        Ok(())
    }

    /// Kills a process, unless its number is another's by now.
    pub(super) fn kill(&self, process: &Process) {
        let Ok(id) = libc::pid_t::try_from(process.id) else {
            return;
        };
        if self.has(process.id) {
            // SAFETY: the call takes two numbers and no memory.
            unsafe { libc::kill(id, libc::SIGKILL) };
        }
    }

    /// Kills all processes of the round but its supervisor, until there is none.
    pub(super) fn kill_all(&self) {
        self.kill_until_none(|process| !process.is_supervisor());
    }

    /// Kills these processes of the round, and those that they have started meanwhile, until there is none.
    pub(super) fn kill_until_none(&self, is_victim: impl Fn(&Process) -> bool) {
        loop {
            let mut processes = self.processes();
            processes.retain(&is_victim);
            if processes.is_empty() {
                return;
            }
            for process in processes {
                self.kill(&process);
            }
        }
    }

    /// The directories of the run's supervisors that are there.
    pub(super) fn run_directories(&self) -> Vec<PathBuf> {
        let runs = fs::read_dir(self.runtime().join("seatrial"));
        let runs = runs.into_iter().flatten().flatten();
        runs.map(|run| run.path()).collect()
    }

    /// Another run after this one, in the same directories.
    pub(super) fn next(&self) -> Self {
        Self {
            id: format!("{}-next", self.id),
            directory: self.directory.clone(),
            runtime: self.runtime.clone(),
            ends_within: self.ends_within,
        }
    }

    /// Removes the round's directory, for there is nothing to be found out from it.
    pub(super) fn remove(self) {
        let _ = fs::remove_dir_all(&self.directory);
    }

    /// Tells of a round that has failed, and ends what still runs of it: nobody waits for that.
    pub(super) fn fail(&self, head: &str, error: &anyhow::Error) -> String {
        let failure = format!("{head}: {error:#}");
        println!("{head}: FAILED: {error:#}\n{}", self.story());
        self.kill_all();
        failure
    }

    /// What there is to find out from: the end of the output, what supervisors have written, and where the rest is.
    pub(super) fn story(&self) -> String {
        let output = fs::read_to_string(self.directory.join("output")).unwrap_or_default();
        let lines: Vec<&str> = output.lines().collect();
        let lines = lines[lines.len().saturating_sub(LINES)..].join("\n    | ");
        let mut text = format!("    | {lines}\n");
        let runs = fs::read_dir(self.runtime().join("seatrial"));
        for run in runs.into_iter().flatten().flatten() {
            let log = fs::read_to_string(run.path().join("log")).unwrap_or_default();
            if !log.is_empty() {
                text += &format!("    supervisor's log:\n{log}\n");
            }
        }
        text + &format!("    kept: {}", self.directory.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_with_the_rounds_id_is_the_rounds() {
        let round = Round::new("unit", 1).expect("a directory");
        let mut command = Command::new("cat");
        round.prepare(&mut command).expect("a file");
        command.stdin(Stdio::piped());
        let mut child = command.spawn().expect("a child");
        let mut other = Command::new("cat");
        let mut other = other.stdin(Stdio::piped()).spawn().expect("a child");
        let seen = round.until(&mut child, |all| {
            (all.len() == 1 && all[0].arguments[0] == "cat").then(|| all[0].id)
        });
        let is_other = round.has(other.id());
        round.kill_all();
        let status = round.ended(&mut child).expect("it was killed");
        let other_lives = other.try_wait().expect("a child").is_none();
        other.kill().expect("a signal");
        other.wait().expect("its end");
        let left = round.processes();
        let id = child.id();
        round.remove();
        assert_eq!(seen.expect("it is seen"), Some(id));
        assert!(!is_other && other_lives);
        assert!(!status.success());
        assert!(left.is_empty(), "{left:?}");
    }
}
