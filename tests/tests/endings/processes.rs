//! The processes of a run: all that have its id in their environment, whoever has started them.

use std::collections::BTreeMap;

use seatrial_tests::child;
pub(crate) use seatrial_tests::child::{number, signal};

/// How a supervisor calls itself.
const SUPERVISOR: &str = "seatrial";

/// Numbers and names of all of them. One that is dead is not among them, also where nobody has waited for it yet.
pub(crate) fn of(run: &str) -> BTreeMap<u32, String> {
    let entry = format!("SEATRIAL_RUN_ID={run}");
    let named = |pid| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some((pid, name.trim_end().to_owned()))
    };
    let of_run = child::with_in_environment(&entry).into_iter();
    of_run.filter_map(named).collect()
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
