//! Processes as the kernel identifies them: by number and start time, because the kernel reuses numbers.
//!
//! Everything is read from Linux's `/proc`. Without it, values are `None` or `unknown`. Nothing must be guessed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::fingerprint::Fingerprint;

/// Stands for a value that the system does not show.
pub(crate) const UNKNOWN: &str = "unknown";

/// The id of this boot.
pub(crate) fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| UNKNOWN.to_owned(), |id| id.trim().to_owned())
}

/// The namespace of process ids. A container has another one, on the same boot.
pub(crate) fn namespace() -> String {
    let link = std::fs::read_link("/proc/self/ns/pid");
    let number = link.ok().and_then(|link| {
        // `pid:[4026531836]`
        let text = link.to_string_lossy().into_owned();
        text.split(['[', ']']).nth(1).map(str::to_owned)
    });
    number.unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The id of this machine, the same on every boot: a fingerprint of `machine-id(5)`, which should not be published itself.
pub(crate) fn machine() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    match id.trim() {
        // The file has this content in an image, and during the first boot.
        "" | "uninitialized" => UNKNOWN.to_owned(),
        id => {
            let fingerprint = Fingerprint::new()
                .add(b"seatrial machine")
                .add(id.as_bytes())
                .finish();
            fingerprint[..16].to_owned()
        }
    }
}

/// Whether this process is in a container, if the container's engine says so.
pub(crate) fn is_in_container() -> bool {
    let of_docker_and_podman = ["/.dockerenv", "/run/.containerenv"];
    of_docker_and_podman
        .iter()
        .any(|marker| Path::new(marker).exists())
}

/// The engine's id of the container that this process is in, if any. The paths of the engine's mounts contain it.
pub(crate) fn container() -> Option<String> {
    container_in(&std::fs::read_to_string("/proc/self/mountinfo").ok()?)
}

fn container_in(mounts: &str) -> Option<String> {
    // `605 580 254:1 /var/lib/docker/containers/4f5c../hostname /etc/hostname rw,relatime - ext4 /dev/vda1 rw`
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        Some((fields.nth(3)?, fields.next()?))
    });
    let mut of_engine = mounts.filter(|(_, at)| matches!(*at, "/etc/hostname" | "/etc/hosts"));
    of_engine.find_map(|(from, _)| {
        let is_id = |part: &&str| part.len() == 64 && part.bytes().all(|it| it.is_ascii_hexdigit());
        from.split('/').find(is_id).map(str::to_owned)
    })
}

/// Whether this system shows processes, and all those of this namespace.
pub(crate) fn are_all_visible() -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo");
    Path::new("/proc/self/stat").exists() && mounts.is_ok_and(|mounts| shows_all(&mounts))
}

/// Whether `/proc` is mounted so that it shows the processes of other users, too. `false` if that is unknown.
fn shows_all(mounts: &str) -> bool {
    // `22 26 0:21 / /proc rw,relatime - proc proc rw,hidepid=2`. A later mount covers the earlier ones.
    let proc = mounts
        .lines()
        .rfind(|line| line.split(' ').nth(4) == Some("/proc"));
    proc.and_then(|line| line.split_once(" - "))
        .is_some_and(|(_, of_super_block)| {
            let options = of_super_block.split([' ', ',']);
            let mut hidden = options.filter_map(|option| option.strip_prefix("hidepid="));
            hidden.all(|hidden| matches!(hidden, "0" | "off"))
        })
}

/// The kernel's data about a process, from `/proc/PID/stat` (proc(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// The file name of its executable, cut off after 15 bytes, or the name that the process gives itself.
    pub(crate) name: String,
    /// `R`, `S`, `Z`, ..
    pub(crate) state: char,
    /// 0 if the parent is outside the namespace.
    pub(crate) parent: u32,
    pub(crate) threads: u32,
    /// In clock ticks since the machine started.
    pub(crate) start: u64,
}

impl Stat {
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(&String::from_utf8_lossy(&stat))
    }

    /// Parses `42 (a name) S 7 ..`. The name may contain any character.
    fn parse(stat: &str) -> Option<Self> {
        let (before, after) = stat.rsplit_once(") ")?;
        let (_, name) = before.split_once(" (")?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        Some(Self {
            name: name.to_owned(),
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            threads: fields.get(17)?.parse().ok()?,
            start: fields.get(19)?.parse().ok()?,
        })
    }

    /// Whether all its threads have ended, and only its parent has not waited for it. The first thread may end before the others.
    fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X') && self.threads <= 1
    }
}

/// One process: its number and its start time, because the kernel reuses numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    pub(crate) pid: u32,
    /// In clock ticks since the machine started.
    pub(crate) start: u64,
}

impl ProcessId {
    /// The process that has this number now.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let start = Stat::of(pid)?.start;
        Some(Self { pid, start })
    }

    /// The terminal that is its standard error, if any.
    pub(crate) fn terminal(self) -> Option<PathBuf> {
        let path = std::fs::read_link(format!("/proc/{}/fd/2", self.pid)).ok()?;
        let is_terminal = path.starts_with("/dev/pts") || path.to_str()?.starts_with("/dev/tty");
        (is_terminal && self.is_alive()).then_some(path)
    }

    /// Whether the process runs. `false` also if it has ended, and its parent has not waited for it yet.
    pub(crate) fn is_alive(self) -> bool {
        Stat::of(self.pid).is_some_and(|stat| stat.start == self.start && !stat.has_ended())
    }

    /// Whether the process has certainly ended. `false` if that is unknown, for example because no more files can be opened.
    pub(crate) fn has_ended(self) -> bool {
        match std::fs::metadata(format!("/proc/{}", self.pid)) {
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
            Ok(_) => {
                Stat::of(self.pid).is_some_and(|stat| stat.start != self.start || stat.has_ended())
            }
        }
    }
}

/// `42:123456`.
impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.pid, self.start)
    }
}

/// The text is not in the form that `Display` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidProcessId;

impl FromStr for ProcessId {
    type Err = InvalidProcessId;

    fn from_str(text: &str) -> Result<Self, InvalidProcessId> {
        let (pid, start) = text.split_once(':').ok_or(InvalidProcessId)?;
        Ok(Self {
            pid: pid.parse().map_err(|_| InvalidProcessId)?,
            start: start.parse().map_err(|_| InvalidProcessId)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_is_read_whatever_the_process_is_called() {
        let fields = "S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 9";
        for name in ["xtask", "a b", "a) S 1 (b", ""] {
            let stat = Stat::parse(&format!("42 ({name}) {fields}")).expect("a stat");
            assert_eq!(
                (stat.name.as_str(), stat.state, stat.parent, stat.start),
                (name, 'S', 7, 123_456)
            );
        }
        for malformed in ["", "42 (a", "42 (a) S", "42 (a) S x 42"] {
            assert_eq!(Stat::parse(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn a_container_is_known_by_what_its_engine_mounts() {
        let id = "4f5c".repeat(16);
        let root = "580 479 0:50 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2\n";
        let mount =
            |from: &str, at: &str| format!("605 580 254:1 {from} {at} rw - ext4 /dev/vda1 rw\n");
        let docker = mount(
            &format!("/var/lib/docker/containers/{id}/hostname"),
            "/etc/hostname",
        );
        let podman = mount(
            &format!("/overlay-containers/{id}/userdata/hosts"),
            "/etc/hosts",
        );
        for of_engine in [docker, podman] {
            assert_eq!(
                container_in(&(root.to_owned() + &of_engine)),
                Some(id.clone())
            );
        }
        let others = mount(&format!("/srv/{id}/data"), "/data");
        let own = mount("/etc/hostname", "/etc/hostname");
        assert_eq!(container_in(&(root.to_owned() + &others + &own)), None);
    }

    #[test]
    fn only_a_proc_that_hides_nobody_shows_all() {
        let line = |options: &str| {
            format!("22 26 0:21 / /proc rw,nosuid shared:5 - proc proc {options}\n")
        };
        let root = "26 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n";
        assert!(shows_all(&(root.to_owned() + &line("rw"))));
        assert!(shows_all(&line("rw,hidepid=0")));
        assert!(shows_all(&line("rw,hidepid=off")));
        assert!(!shows_all(&line("rw,hidepid=2")));
        assert!(!shows_all(&line("rw,gid=4,hidepid=invisible")));
        assert!(!shows_all(&(line("rw") + &line("rw,hidepid=1"))));
        assert!(!shows_all(root));
    }

    #[test]
    fn a_process_id_survives_being_written() {
        let id = ProcessId { pid: 42, start: 7 };
        assert_eq!(id.to_string().parse(), Ok(id));
        for malformed in ["", "42", "42:", ":7", "42:7:8", "-1:7"] {
            assert_eq!(malformed.parse::<ProcessId>(), Err(InvalidProcessId));
        }
    }
}
