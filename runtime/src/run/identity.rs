//! The identity of a run: the key that all its processes share, and the process with which it ends.
//!
//! It is derived from this process's environment and from its ancestors, across processes in between (a shell, `timeout`, a target
//! runner). This module must not start or ask another process.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::error::StartError;
use super::membership::Run;
use super::process::{self, ProcessId, Stat};

/// The variable with which a user names the run.
const RUN_ID: &str = "SEATRIAL_RUN_ID";

/// The executable that runs tests for nextest.
const NEXTEST: &str = "cargo-nextest";

/// The variable with which nextest names the run.
const NEXTEST_RUN_ID: &str = "NEXTEST_RUN_ID";

impl Run {
    /// The run of this process.
    ///
    /// # Errors
    ///
    /// The system does not show its processes.
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
        // A cargo that a test under nextest has started inherits the variables of nextest's run, but does not belong to it.
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

/// The groups of this process. The supervisor has the groups of the process that starts it, and with them access to resources
/// such as an engine's socket. So a process with other groups needs another supervisor.
pub(super) fn groups() -> String {
    let mut groups = [0; 256];
    let room = libc::c_int::try_from(groups.len()).expect("it is small");
    // SAFETY: the call writes at most as many numbers as there is room for, and returns their count, or -1 if there are more.
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
    /// The name that it gives itself.
    name: String,
    /// The file name of its executable, if this user may see it.
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

    /// Whether a process was started with this entry, `NAME=value`, in its environment. `false` if that is unknown.
    fn has_in_environment(&self, pid: u32, entry: &[u8]) -> bool;
}

/// The system's table of processes.
struct SystemProcesses;

impl Processes for SystemProcesses {
    fn look_up(&self, pid: u32) -> Option<Process> {
        let stat = Stat::of(pid)?;
        let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
        let executable = path.and_then(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            // The kernel adds ` (deleted)` if the file was replaced while it runs.
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

/// The ancestors of a process, nearest first.
struct Ancestors<'a> {
    next: u32,
    /// The processes seen so far. The kernel may reuse numbers during the walk, which could make a cycle.
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
