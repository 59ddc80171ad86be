//! Who this run is, as labels and names on the engine say it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The prefix of every label.
pub(crate) const LABEL: &str = "dev.seatrial";

/// The identity of a run.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// `SEATRIAL_RUN_ID`, nextest's run id, or this process.
    pub(super) run: String,
    /// Boot id, process id, start time and process namespace of the owner: enough to tell later whether it is still alive.
    pub(super) owner: String,
    /// Distinguishes this supervisor's names from all others on the engine.
    pub(super) token: String,
}

impl Identity {
    pub(super) fn of_process() -> Self {
        let process = std::process::id();
        let started = start_time(process).unwrap_or_else(now_micros);
        // Two supervisors of one process may begin in one microsecond.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let token = format!("{process:x}-{:x}-{count}", now_micros() & 0xffff_ffff_ffff);
        let run = ["SEATRIAL_RUN_ID", "NEXTEST_RUN_ID"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|id| !id.is_empty()))
            .unwrap_or_else(|| token.clone());
        Self {
            run,
            owner: format!("{}/{process}/{started}/{}", boot(), namespace()),
            token,
        }
    }

    /// Whether the process that an owner's label names is dead for certain: it was on this machine since its last boot,
    /// numbered as processes are numbered here, and is there no more.
    pub(super) fn is_dead(owner: &str) -> bool {
        let [boot_id, process, started, named] = owner.split('/').collect::<Vec<_>>()[..] else {
            return false;
        };
        let (Ok(process), Ok(started)) = (process.parse(), started.parse::<u64>()) else {
            return false;
        };
        let here = boot_id == boot() && named == namespace() && named != UNKNOWN;
        here && Path::new("/proc/self/stat").exists() && start_time(process) != Some(started)
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

/// Where the system does not tell.
const UNKNOWN: &str = "unknown";

/// Differs from boot to boot.
fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| UNKNOWN.to_owned(), |id| id.trim().to_owned())
}

/// Within which a process id means one process: a container has another one, on the same boot.
fn namespace() -> String {
    let link = std::fs::read_link("/proc/self/ns/pid");
    let number = link.ok().and_then(|link| {
        // `pid:[4026531836]`
        let text = link.to_string_lossy().into_owned();
        text.split(['[', ']']).nth(1).map(str::to_owned)
    });
    number.unwrap_or_else(|| UNKNOWN.to_owned())
}

/// Microseconds since the Unix epoch.
pub(super) fn now_micros() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
        })
}

/// When a process started, in clock ticks since the machine did: field 22 of Linux's `/proc/PID/stat` (proc(5)).
fn start_time(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, and may contain anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_was_here_and_is_gone_is_dead() {
        let own = Identity::of_process().owner;
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
