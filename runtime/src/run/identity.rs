//! What a run is, seen from a process of it: the same for all its processes, and with whose end it ends.
//!
//! Found by looking at this process's environment and at its ancestors, through whatever stands between (a shell,
//! `timeout`, a target runner). It starts nothing and asks nobody.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::error::StartError;
use super::membership::Run;
use super::process::{self, ProcessId, Stat};

/// The variable by which a user says what the run is.
const RUN_ID: &str = "SEATRIAL_RUN_ID";

/// The executable that runs tests for nextest.
const NEXTEST: &str = "cargo-nextest";

/// The variable by which nextest does.
const NEXTEST_RUN_ID: &str = "NEXTEST_RUN_ID";

impl Run {
    /// The run of this process.
    ///
    /// # Errors
    ///
    /// The system does not tell about processes.
    pub(crate) fn of_process() -> Result<Self, StartError> {
        Self::of(
            std::process::id(),
            |name| std::env::var_os(name),
            &SystemProcesses,
        )
        .map(|run| Self {
            key: format!("{} {}", run.key, groups()),
            ..run
        })
        .ok_or(StartError::Unsupported)
    }

    fn of(
        pid: u32,
        variable: impl Fn(&str) -> Option<OsString>,
        processes: &dyn Processes,
    ) -> Option<Self> {
        let own = processes.look_up(pid)?;
        let ancestors = || Ancestors::of(&own, processes);
        let runner = ancestors().find(|it| it.is_named("cargo") || it.is_named(NEXTEST));
        // A cargo that a test of nextest's has started is not of that run, whose variables it has inherited.
        let is_cargos = runner.as_ref().is_some_and(|it| !it.is_named(NEXTEST));
        let variable = |name| variable(name).filter(|value| !value.is_empty());

        if let Some(id) = variable(RUN_ID) {
            let entry = [RUN_ID.as_bytes(), b"=", id.as_bytes()].concat();
            let topmost = ancestors()
                .take_while(|ancestor| processes.has_in_environment(ancestor.id.pid, &entry))
                .last();
            return Some(Self {
                key: format!("seatrial:{}", id.to_string_lossy()),
                process: topmost.unwrap_or(own).id,
            });
        }
        if let Some(id) = variable(NEXTEST_RUN_ID)
            && !is_cargos
        {
            let runner = runner.or_else(|| ancestors().next());
            return Some(Self {
                key: format!("nextest:{}", id.to_string_lossy()),
                process: runner.unwrap_or(own).id,
            });
        }
        let (kind, process) = match runner.filter(|_| is_cargos) {
            Some(cargo) => ("cargo", cargo.id),
            None => ("process", own.id),
        };
        let (boot, namespace) = (process::boot(), process::namespace());
        Some(Self {
            key: format!("{kind}:{process}/{boot}/{namespace}"),
            process,
        })
    }
}

/// The groups of this process. The supervisor has those of the process that starts it, and may use what they may (an
/// engine's socket, for one): it is of no use to a process with others.
pub(super) fn groups() -> String {
    let mut groups = [0; 256];
    let room = libc::c_int::try_from(groups.len()).expect("it is small");
    // SAFETY: the call writes no more numbers than there is room for, and says how many. Where there are more it says -1.
    let count = unsafe { libc::getgroups(room, groups.as_mut_ptr()) };
    // SAFETY: the call takes nothing, touches no memory and cannot fail.
    let own = unsafe { libc::getegid() };
    let mut groups = groups[..usize::try_from(count).unwrap_or(0)].to_vec();
    groups.sort_unstable();
    groups.insert(0, own);
    let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
    groups.join(",")
}

/// A process of the table.
#[derive(Clone, Debug)]
struct Process {
    id: ProcessId,
    parent: u32,
    /// What it calls itself.
    name: String,
    /// The file name of its executable, where this user may know it.
    executable: Option<String>,
}

impl Process {
    fn is_named(&self, name: &str) -> bool {
        self.name == name || self.executable.as_deref() == Some(name)
    }
}

/// The table of processes.
trait Processes {
    fn look_up(&self, pid: u32) -> Option<Process>;

    /// Whether a process was started with this entry, `NAME=value`, in its environment. False where it is not known.
    fn has_in_environment(&self, pid: u32, entry: &[u8]) -> bool;
}

/// The system's own.
struct SystemProcesses;

impl Processes for SystemProcesses {
    fn look_up(&self, pid: u32) -> Option<Process> {
        let stat = Stat::of(pid)?;
        let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
        let executable = path.and_then(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            // The file may have been replaced while it runs.
            let name = name.strip_suffix(" (deleted)").unwrap_or(&name);
            Some(name.to_owned())
        });
        Some(Process {
            id: ProcessId {
                pid,
                start: stat.start,
            },
            parent: stat.parent,
            name: stat.name,
            executable,
        })
    }

    fn has_in_environment(&self, pid: u32, entry: &[u8]) -> bool {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|e| e == entry))
    }
}

/// The ancestors of a process, the nearest first.
struct Ancestors<'a> {
    next: u32,
    /// Numbers may be given again during the walk, and then it could go in a circle.
    seen: HashSet<u32>,
    processes: &'a dyn Processes,
}

impl<'a> Ancestors<'a> {
    fn of(process: &Process, processes: &'a dyn Processes) -> Self {
        Self {
            next: process.parent,
            seen: HashSet::from([process.id.pid]),
            processes,
        }
    }
}

impl Iterator for Ancestors<'_> {
    type Item = Process;

    fn next(&mut self) -> Option<Process> {
        if self.next == 0 || !self.seen.insert(self.next) {
            return None;
        }
        let ancestor = self.processes.look_up(self.next)?;
        self.next = ancestor.parent;
        Some(ancestor)
    }
}

#[cfg(test)]
mod tests;
