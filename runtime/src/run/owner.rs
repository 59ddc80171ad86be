//! The owner of resources on the engine, in a form from which any later process can tell whether the owner is dead.
//!
//! Only a proof counts: an owner that cannot be proved dead is taken to be alive.

use std::fmt;
use std::str::FromStr;

use super::process::{self, ProcessId, UNKNOWN};

/// A supervisor's process, as labels and journals name it.
///
/// Written as `boot id/process id/start time/process namespace/machine`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    boot: String,
    process: ProcessId,
    namespace: String,
    machine: String,
}

/// What is known of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// The owner may be alive.
    Possible,
    /// Its process is gone: it ran on this machine since the last boot.
    Ended,
    /// It ran on this machine before the last boot. Nothing of such an owner runs on an engine of this machine.
    BeforeBoot,
}

impl Owner {
    /// This process. `start` is used if the system does not show when the process started.
    pub(crate) fn this_process(start: impl FnOnce() -> u64) -> Self {
        let pid = std::process::id();
        let process = ProcessId::of(pid).unwrap_or_else(|| ProcessId {
            pid,
            start: start(),
        });
        Self {
            boot: process::boot(),
            process,
            namespace: process::namespace(),
            machine: process::machine(),
        }
    }

    /// Whether the owner that a label names is alive. `Possible` if the label does not name one.
    pub(crate) fn life_of(label: &str) -> Life {
        label
            .parse()
            .map_or(Life::Possible, |owner: Self| owner.life())
    }

    pub(crate) fn life(&self) -> Life {
        if self.boot == UNKNOWN {
            return Life::Possible;
        }
        if self.boot != process::boot() {
            let here = self.machine != UNKNOWN && self.machine == process::machine();
            return match here && process::boot() != UNKNOWN {
                true => Life::BeforeBoot,
                false => Life::Possible,
            };
        }
        let numbered_alike = self.namespace != UNKNOWN && self.namespace == process::namespace();
        if numbered_alike && process::are_all_visible() && self.process.has_ended() {
            Life::Ended
        } else {
            Life::Possible
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            boot,
            process: ProcessId { pid, start },
            namespace,
            machine,
        } = self;
        write!(f, "{boot}/{pid}/{start}/{namespace}/{machine}")
    }
}

/// The text is not in the form that `Display` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidOwner;

impl FromStr for Owner {
    type Err = InvalidOwner;

    fn from_str(text: &str) -> Result<Self, InvalidOwner> {
        let [boot, pid, start, namespace, machine] = text.split('/').collect::<Vec<_>>()[..] else {
            return Err(InvalidOwner);
        };
        Ok(Self {
            boot: boot.to_owned(),
            process: ProcessId {
                pid: pid.parse().map_err(|_| InvalidOwner)?,
                start: start.parse().map_err(|_| InvalidOwner)?,
            },
            namespace: namespace.to_owned(),
            machine: machine.to_owned(),
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn own() -> Owner {
        Owner::this_process(|| unreachable!("the system tells"))
    }

    #[test]
    fn an_owner_survives_being_written() {
        let own = own();
        assert_eq!(own.to_string().parse(), Ok(own.clone()));
        let written = own.to_string();
        for malformed in ["", "a/b/c/d/e", "a/1/2/d", &format!("{written}/f")] {
            assert_eq!(malformed.parse::<Owner>(), Err(InvalidOwner), "{malformed}");
        }
    }

    #[test]
    fn only_a_process_that_was_here_and_is_gone_has_ended() {
        let own = own();
        assert_eq!(own.life(), Life::Possible);
        let another = Owner {
            process: ProcessId {
                start: 1,
                ..own.process
            },
            ..own.clone()
        };
        assert_eq!(another.life(), Life::Ended, "its number is ours now");
        let elsewhere = Owner {
            namespace: "another".to_owned(),
            ..another
        };
        assert_eq!(elsewhere.life(), Life::Possible);
    }

    #[test]
    fn a_process_that_nobody_has_waited_for_has_ended() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .spawn()
            .expect("a child");
        let of_child = Owner {
            process: ProcessId::of(child.id()).expect("it runs"),
            ..own()
        };
        let before = of_child.life();
        child.kill().expect("a signal");
        // Its end is seen before anybody waits for it.
        while of_child.life() == Life::Possible {
            std::thread::yield_now();
        }
        let after = of_child.life();
        child.wait().expect("its end");
        assert_eq!((before, after), (Life::Possible, Life::Ended));
        assert_eq!(of_child.life(), Life::Ended);
    }

    #[test]
    fn an_owner_from_before_the_boot_is_known_by_its_machine_only() {
        let before = Owner {
            boot: "another".to_owned(),
            ..own()
        };
        let known = match process::machine() == UNKNOWN {
            true => Life::Possible,
            false => Life::BeforeBoot,
        };
        assert_eq!(before.life(), known);
        let elsewhere = Owner {
            machine: "another".to_owned(),
            ..before.clone()
        };
        assert_eq!(elsewhere.life(), Life::Possible);
        let untold = Owner {
            machine: UNKNOWN.to_owned(),
            boot: UNKNOWN.to_owned(),
            ..before
        };
        assert_eq!(untold.life(), Life::Possible);
    }
}
