//! The processes of a run: all that have its id in their environment, whoever has started them.

use std::collections::BTreeMap;

/// How a supervisor calls itself.
const SUPERVISOR: &str = "seatrial";

/// Numbers and names of all of them. One that is dead is not among them, also where nobody has waited for it yet.
pub(crate) fn of(run: &str) -> BTreeMap<u32, String> {
    let entry = format!("SEATRIAL_RUN_ID={run}");
    let is_of_run = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == entry.as_bytes())
    };
    let entries = std::fs::read_dir("/proc").expect("a list of processes");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let named = |pid| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some((pid, name.trim_end().to_owned()))
    };
    pids.filter(is_of_run).filter_map(named).collect()
}

/// The run's supervisor, if it has one.
pub(crate) fn supervisor(run: &str) -> Option<u32> {
    let of_run = of(run);
    let mut supervisors = of_run.iter().filter(|(_, name)| *name == SUPERVISOR);
    let (pid, _) = supervisors.next()?;
    assert_eq!(supervisors.next(), None, "a run has one supervisor");
    Some(*pid)
}

/// All but the supervisor.
pub(crate) fn others(run: &str) -> Vec<u32> {
    let others = of(run).into_iter().filter(|(_, name)| name != SUPERVISOR);
    others.map(|(pid, _)| pid).collect()
}

/// Sends a signal to a process, or to a whole group where the number is negative.
pub(crate) fn signal(process: libc::pid_t, signal: libc::c_int) {
    // SAFETY: the call takes two numbers and no memory.
    unsafe { libc::kill(process, signal) };
}

/// The number as the system's calls take it.
pub(crate) fn number(process: u32) -> libc::pid_t {
    libc::pid_t::try_from(process).expect("a process id")
}
