//! Where figures come from: the machine, the engine, the commit, the date and the command.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::workspace;

#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) cores: usize,
    /// In KiB, as the kernel says it.
    pub(super) memory: u64,
    pub(super) kernel: String,
    /// How many processes ran or wanted to, in the minute before the first round: others make the figures noisy.
    pub(super) load: String,
    /// Its kind and version.
    pub(super) engine: String,
    pub(super) api: String,
    pub(super) commit: String,
    pub(super) date: String,
    pub(super) command: String,
}

impl Origin {
    /// Looks at the machine, the engine and the tree.
    ///
    /// # Errors
    ///
    /// Where the engine does not answer.
    pub(super) fn look(engine: &Engine, command: String) -> Result<Self> {
        let version = engine.api.get("/version")?.unwrap_or_default();
        let first_word = |path: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let word = text.split_whitespace().next();
            word.unwrap_or("unknown").to_owned()
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            memory: memory(&fs::read_to_string("/proc/meminfo").unwrap_or_default()),
            kernel: first_word("/proc/sys/kernel/osrelease"),
            load: first_word("/proc/loadavg"),
            engine: engine.name.clone(),
            api: version["ApiVersion"].as_str().unwrap_or("unknown").into(),
            commit: commit(),
            date: date(now.map_or(0, |it| it.as_secs())),
            command,
        })
    }

    /// All of it, in lines for people.
    pub(super) fn lines(&self) -> [String; 2] {
        let gibibytes = self.memory as f64 / f64::from(1 << 20);
        [
            format!(
                "{} cores, {gibibytes:.1} GiB of memory, Linux {}, load {} before the first round; {} (API {})",
                self.cores, self.kernel, self.load, self.engine, self.api
            ),
            format!("commit {}, {}, `{}`", self.commit, self.date, self.command),
        ]
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "machine": {
                "cores": self.cores,
                "memory_kib": self.memory,
                "kernel": self.kernel,
                "load": self.load,
            },
            "engine": { "name": self.engine, "api": self.api },
            "commit": self.commit,
            "date": self.date,
            "command": self.command,
        })
    }
}

/// The total in `/proc/meminfo`, in KiB.
fn memory(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|it| it.strip_prefix("MemTotal:"));
    let number = total.and_then(|it| it.split_whitespace().next());
    number.and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// The commit of the tree, and whether the tree has changes.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let output = git.current_dir(workspace::root()).args(arguments).output();
        let output = output.ok().filter(|it| it.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match (
        git(&["rev-parse", "--short=12", "HEAD"]),
        git(&["status", "--porcelain"]),
    ) {
        (Some(commit), Some(changes)) if changes.is_empty() => commit,
        (Some(commit), _) => format!("{commit} with changes"),
        (None, _) => "unknown".to_owned(),
    }
}

/// A time in seconds since 1970 as `2026-11-30 12:00 UTC`.
fn date(seconds: u64) -> String {
    let (mut days, rest) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute) = (rest / 3600, rest / 60 % 60);
    format!(
        "{year}-{month:02}-{:02} {hour:02}:{minute:02} UTC",
        days + 1
    )
}

#[cfg(test)]
pub(super) fn example() -> Origin {
    Origin {
        cores: 2,
        memory: 3 << 19,
        kernel: "6.1.0".to_owned(),
        load: "0.25".to_owned(),
        engine: "Docker 20.10.24".to_owned(),
        api: "1.41".to_owned(),
        commit: "0123456789ab".to_owned(),
        date: "2026-11-30 12:00 UTC".to_owned(),
        command: "cargo xtask bench one".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (951_868_800, "2000-03-01 00:00 UTC"),
            (1_767_225_599, "2025-12-31 23:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }

    #[test]
    fn memory_is_read_from_the_kernels_table() {
        assert_eq!(
            memory("MemTotal:       24683636 kB\nMemFree: 1 kB\n"),
            24_683_636
        );
        assert_eq!(memory(""), 0);
    }

    #[test]
    fn everything_is_named() {
        assert_eq!(
            example().lines(),
            [
                "2 cores, 1.5 GiB of memory, Linux 6.1.0, load 0.25 before the first round; Docker 20.10.24 (API 1.41)",
                "commit 0123456789ab, 2026-11-30 12:00 UTC, `cargo xtask bench one`",
            ]
        );
    }
}
