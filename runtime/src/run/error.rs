//! The error of connecting to the run's supervisor, or of starting it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no connection to the run's supervisor.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum StartError {
    /// This system does not support a supervisor outside the test process.
    Unsupported,
    /// The run's directory cannot be created or used.
    Directory { path: PathBuf, source: io::Error },
    /// The socket does not accept connections, although a process listens.
    Connect { path: PathBuf, source: io::Error },
    /// Another user listens on the socket.
    AnotherUser { path: PathBuf, user: u32 },
    /// The process cannot be started.
    Spawn { source: io::Error },
    /// The supervisor says why it cannot start.
    Refused { reason: String },
    /// The supervisor ended before it listened.
    Ended {
        log: PathBuf,
        /// The text that it wrote there, shortened.
        written: String,
    },
    /// The supervisor did not listen in time, and was killed.
    TimedOut { log: PathBuf, after: Duration },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str(
                "a supervisor in a process of its own is not supported on this system: it needs Linux with /proc",
            ),
            Self::Directory { path, .. } => {
                write!(f, "cannot use the run's directory {}", path.display())
            }
            Self::Connect { path, .. } => {
                write!(f, "cannot connect to the supervisor at {}", path.display())
            }
            Self::AnotherUser { path, user } => write!(
                f,
                "the supervisor at {} belongs to the user with id {user}",
                path.display()
            ),
            Self::Spawn { .. } => f.write_str("cannot start the supervisor"),
            Self::Refused { reason } => write!(f, "the supervisor cannot start: {reason}"),
            Self::Ended { log, written } if written.is_empty() => write!(
                f,
                "the supervisor ended before it was ready; its log {} is empty",
                log.display()
            ),
            Self::Ended { written, .. } => write!(
                f,
                "the supervisor ended before it was ready; it wrote:\n{written}"
            ),
            Self::TimedOut { log, after } => write!(
                f,
                "the supervisor was not ready after {} seconds and was killed; see its log {}",
                after.as_secs(),
                log.display()
            ),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Directory { source, .. }
            | Self::Connect { source, .. }
            | Self::Spawn { source } => Some(source),
            _ => None,
        }
    }
}
