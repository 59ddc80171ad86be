//! The status of a service as its handle returns it: whether it runs, and how it has ended.

use std::fmt;
use std::time::Duration;

use crate::protocol::ContainerStatus;
use crate::wording;

/// Whether a service runs, and how it has ended. [`Service::status`](crate::Service::status) returns it.
///
/// ```no_run
/// use seatrial::ServiceStatus;
///
/// # async fn example(app: seatrial::Service) -> Result<(), seatrial::Error> {
/// match app.status().await? {
///     ServiceStatus::Exited(exit) => assert_eq!(exit.code, Some(0)),
///     status => println!("it is {status}"),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceStatus {
    /// Its container runs. [`Service::ready`](crate::Service::ready) tells whether the service is ready.
    Running,
    /// [`Service::pause`](crate::Service::pause) has frozen its container.
    Paused,
    /// Its container has ended.
    Exited(ServiceExit),
}

impl ServiceStatus {
    /// Whether its container runs and is not paused.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running)
    }

    /// How it has ended. `None` if it runs or is paused.
    ///
    /// ```no_run
    /// # fn example(app: seatrial::Service) -> Result<(), seatrial::Error> {
    /// app.kill().wait()?;
    /// let status = app.status().wait()?;
    /// assert_eq!(status.exit().and_then(|exit| exit.signal), Some(9));
    /// # Ok(()) }
    /// ```
    pub fn exit(&self) -> Option<&ServiceExit> {
        match self {
            Self::Exited(exit) => Some(exit),
            Self::Running | Self::Paused => None,
        }
    }
}

/// How a service has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceExit {
    /// The exit code. `None` if the engine does not say.
    pub code: Option<i64>,
    /// The signal that ended it, such as 9 for `SIGKILL`. It is derived from the exit code, which is 128 plus the signal. A
    /// service that catches a signal chooses its own code. A service that exits with such a code by itself looks the same.
    pub signal: Option<u8>,
    /// Whether the engine knows that the service was killed because it exceeded its memory limit. Not every engine knows, and
    /// some know it late. With a memory limit, code 137 usually means the same.
    pub out_of_memory: bool,
    /// The time since it ended.
    pub ago: Duration,
}

/// An exit code above `SIGNALLED` stands for the signal with the number that remains, up to `LAST_SIGNAL`.
const SIGNALLED: i64 = 128;
const LAST_SIGNAL: i64 = 64;

impl From<ContainerStatus> for ServiceStatus {
    fn from(status: ContainerStatus) -> Self {
        match status {
            ContainerStatus::Running => Self::Running,
            ContainerStatus::Paused => Self::Paused,
            ContainerStatus::Exited {
                code,
                out_of_memory,
                ago,
            } => Self::Exited(ServiceExit {
                code,
                signal: code
                    .and_then(|code| code.checked_sub(SIGNALLED))
                    .filter(|signal| (1..=LAST_SIGNAL).contains(signal))
                    .and_then(|signal| u8::try_from(signal).ok()),
                out_of_memory,
                ago,
            }),
        }
    }
}

/// `running`, `paused`, `exited with code 137 (signal 9), 2.1 s ago`.
impl fmt::Display for ServiceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("running"),
            Self::Paused => f.write_str("paused"),
            Self::Exited(exit) => write!(f, "exited with {exit}"),
        }
    }
}

/// `code 137 (signal 9), 2.1 s ago`.
impl fmt::Display for ServiceExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "code {code}")?,
            None => f.write_str("unknown code")?,
        }
        match (self.signal, self.out_of_memory) {
            (Some(signal), false) => write!(f, " (signal {signal})")?,
            (Some(signal), true) => write!(f, " (signal {signal}, out of memory)")?,
            (None, true) => f.write_str(" (out of memory)")?,
            (None, false) => {}
        }
        write!(f, ", {} ago", wording::duration(self.ago))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(code: Option<i64>, out_of_memory: bool) -> ServiceStatus {
        let ago = Duration::from_secs(3);
        let status = ContainerStatus::Exited {
            code,
            out_of_memory,
            ago,
        };
        status.into()
    }

    #[test]
    fn the_signal_is_what_the_code_tells() {
        for (code, signal) in [
            (None, None),
            (Some(0), None),
            (Some(128), None),
            (Some(129), Some(1)),
            (Some(137), Some(9)),
            (Some(192), Some(64)),
            (Some(193), None),
            (Some(i64::MIN), None),
        ] {
            let status = exited(code, false);
            let exit = status.exit().expect("it has ended");
            assert_eq!((exit.code, exit.signal), (code, signal));
        }
        assert_eq!(ServiceStatus::from(ContainerStatus::Paused).exit(), None);
    }

    #[test]
    fn a_status_is_read_in_a_sentence() {
        let texts = [
            ServiceStatus::Running,
            ServiceStatus::Paused,
            exited(Some(1), false),
            exited(Some(137), false),
            exited(Some(137), true),
            exited(Some(1), true),
            exited(None, false),
        ]
        .map(|status| status.to_string());
        let ago = wording::duration(Duration::from_secs(3));
        assert_eq!(
            texts,
            [
                "running".to_owned(),
                "paused".to_owned(),
                format!("exited with code 1, {ago} ago"),
                format!("exited with code 137 (signal 9), {ago} ago"),
                format!("exited with code 137 (signal 9, out of memory), {ago} ago"),
                format!("exited with code 1 (out of memory), {ago} ago"),
                format!("exited with unknown code, {ago} ago"),
            ]
        );
    }
}
