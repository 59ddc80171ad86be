//! What a call that failed says: what it was about, and what the engine said.

use std::fmt;

use seatrial_model::secret::Redactor;
use serde::{Deserialize, Serialize};

use crate::visible::quoted;

/// A call that failed: what it was about, and what the engine said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EngineError {
    pub(crate) kind: EngineErrorKind,
    /// What was tried, as a fragment that fits behind "cannot": `start the container`.
    pub(crate) attempt: String,
    /// The engine's own words, or the connection's.
    pub(crate) message: String,
}

impl EngineError {
    /// Without the secrets that the engine's words have, or what is quoted in ours: commands and paths.
    pub(crate) fn redacted(&self, redactor: &Redactor) -> Self {
        let marks = self.attempt.find('`').zip(self.attempt.rfind('`'));
        let attempt = match marks {
            Some((first, last)) if first < last => format!(
                "{}{}{}",
                &self.attempt[..=first],
                quoted(redactor, &self.attempt[first + 1..last]),
                &self.attempt[last..]
            ),
            _ => self.attempt.clone(),
        };
        Self {
            kind: self.kind,
            attempt,
            message: quoted(redactor, &self.message),
        }
    }
}

/// What kind of failure, as far as the engine lets it be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EngineErrorKind {
    /// The engine does not answer: not running, gone, or stopped in the middle.
    Unreachable,
    /// This user may not use the engine's socket.
    PermissionDenied,
    /// The image, container, network, volume or path is not there.
    NotFound,
    /// A name or subnet is taken, or the state does not allow it.
    Conflict,
    /// A published port is taken on the host.
    PortTaken,
    /// The engine has no space left on its device.
    NoSpace,
    /// The image is of another platform than asked for, or than the engine can run.
    Platform,
    /// The executable is not in the image, or is not executable.
    CommandNotFound,
    /// What is to be mounted is not on the engine's host.
    MountMissing,
    /// The registry refused the credentials, or wants some.
    Unauthorized,
    /// The registry cannot be reached, or the connection broke.
    Network,
    /// A build's step failed.
    Build,
    /// The kernel or the engine still uses what is to be removed: it passes.
    Busy,
    /// The container's output goes where the engine cannot read it.
    LogUnreadable,
    /// Anything else.
    Failed,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.attempt, self.message)
    }
}

impl std::error::Error for EngineError {}
