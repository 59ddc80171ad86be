//! Who this run is, as labels and names on the engine say it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The prefix of every label.
pub(crate) const LABEL: &str = "dev.seatrial";

/// The identity of a run.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// `SEATRIAL_RUN_ID`, nextest's run id, or this process.
    pub(super) run: String,
    /// Boot id, process id and start time of the owner: enough to tell later whether it is still alive.
    pub(super) owner: String,
    /// Distinguishes this supervisor's names from all others on the engine.
    pub(super) token: String,
}

impl Identity {
    pub(super) fn of_process() -> Self {
        let process = std::process::id();
        let started = start_time(process).unwrap_or_else(now_micros);
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map(|id| id.trim().to_owned())
            .unwrap_or_else(|_| "unknown".to_owned());
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
            owner: format!("{boot}/{process}/{started}"),
            token,
        }
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

/// When a process started, in clock ticks since the machine did: field 22 of Linux's `/proc/PID/stat` (proc(5)).
fn start_time(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, and may contain anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(19)?.parse().ok()
}
