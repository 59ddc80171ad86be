//! Who this run is, as labels and names on the engine say it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::run::process::{self, ProcessId};

/// The prefix of every label.
pub(crate) const LABEL: &str = "dev.seatrial";

/// What the label of the run says of what outlives runs.
const KEPT: &str = "kept";

/// The identity of a run.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// `SEATRIAL_RUN_ID`, nextest's run id, or this process.
    pub(super) run: String,
    /// Boot id, process id, start time and process namespace of the owner: enough to tell later whether it is still alive.
    pub(super) owner: String,
    /// What this supervisor's names on the engine begin with, and no other's.
    pub(super) prefix: String,
}

/// Whose services a supervisor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A run's.
    Run,
    /// Those that outlive the runs which use them.
    Keeper,
}

impl Identity {
    pub(super) fn of_process(role: Role) -> Self {
        let pid = std::process::id();
        let start = ProcessId::of(pid).map_or_else(now_micros, |own| own.start);
        // Two supervisors of one process may begin in one microsecond.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let token = format!("{pid:x}-{:x}-{count}", now_micros() & 0xffff_ffff_ffff);
        let (run, beginning) = match role {
            Role::Run => {
                let named = ["SEATRIAL_RUN_ID", "NEXTEST_RUN_ID"]
                    .iter()
                    .find_map(|name| std::env::var(name).ok().filter(|id| !id.is_empty()));
                (named.unwrap_or_else(|| token.clone()), "seatrial")
            }
            // A container that is on several networks is published through that whose name comes first: a run's, which
            // comes and goes, must come later (libnetwork: the endpoints of a sandbox are ordered so).
            Role::Keeper => (KEPT.to_owned(), "kept-by-seatrial"),
        };
        Self {
            run,
            prefix: format!("{beginning}-{token}"),
            owner: format!("{}/{pid}/{start}/{}", process::boot(), process::namespace()),
        }
    }

    /// Whether the process that an owner's label names is dead for certain: it was on this machine since its last boot,
    /// numbered as processes are numbered here, and is there no more.
    pub(super) fn is_dead(owner: &str) -> bool {
        let [boot, pid, start, namespace] = owner.split('/').collect::<Vec<_>>()[..] else {
            return false;
        };
        let (Ok(pid), Ok(start)) = (pid.parse(), start.parse()) else {
            return false;
        };
        let here = boot == process::boot()
            && namespace == process::namespace()
            && namespace != process::UNKNOWN;
        here && process::is_known() && ProcessId::of(pid) != Some(ProcessId { pid, start })
    }

    /// Labels for whatever belongs to the run.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        [
            ("run", &self.run),
            ("owner", &self.owner),
            ("created", &now_micros().to_string()),
        ]
        .into_iter()
        .map(|(key, value)| (format!("{LABEL}.{key}"), value.clone()))
        .collect()
    }
}

/// Microseconds since the Unix epoch.
pub(super) fn now_micros() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
        })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_was_here_and_is_gone_is_dead() {
        let own = Identity::of_process(Role::Run).owner;
        assert!(!Identity::is_dead(&own), "{own}");
        let mut child = std::process::Command::new("true").spawn().expect("a child");
        let parts: Vec<&str> = own.split('/').collect();
        let of = |boot: &str, process: u32, started: &str, namespace: &str| {
            format!("{boot}/{process}/{started}/{namespace}")
        };
        let [boot, _, started, namespace] = parts[..] else {
            panic!("{own}")
        };
        let process = std::process::id();
        assert!(
            Identity::is_dead(&of(boot, process, "1", namespace)),
            "another's number"
        );
        assert!(!Identity::is_dead(&of("another", process, "1", namespace)));
        assert!(!Identity::is_dead(&of(boot, process, "1", "another")));
        child.wait().expect("its end");
        assert!(Identity::is_dead(&of(boot, child.id(), started, namespace)));
        for unknown in ["", "a/b/c/d", &format!("{boot}/{process}/1")] {
            assert!(!Identity::is_dead(unknown), "{unknown}");
        }
    }
}
