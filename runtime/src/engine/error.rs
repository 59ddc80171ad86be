//! The error of a call: what was attempted, and what the engine said.

use std::fmt;

use seatrial_model::secret::Redactor;
use serde::{Deserialize, Serialize};

use crate::visible::quoted;

/// The error of a call: what was attempted, and what the engine said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EngineError {
    pub(crate) kind: EngineErrorKind,
    /// What was attempted, as a fragment that fits behind "cannot": `start the container`.
    pub(crate) attempt: String,
    /// The message of the engine, or of the connection.
    pub(crate) message: String,
}

impl EngineError {
    /// Without the secrets in the engine's message and in the quoted parts of the attempt: commands and paths.
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

/// The kind of a failure, as far as the engine lets us know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EngineErrorKind {
    /// The engine does not answer: it does not run, it is gone, or it stopped in the middle.
    Unreachable,
    /// The user has no permission to use the engine's socket.
    PermissionDenied,
    /// The image, container, network, volume or path does not exist.
    NotFound,
    /// A name or subnet is taken, or the state of the container does not allow the call.
    Conflict,
    /// A published port is taken on the host.
    PortTaken,
    /// The engine has no space left on its device.
    NoSpace,
    /// The image is for another platform than the requested one, or than one that the engine can run.
    Platform,
    /// The executable is not in the image, or is not executable.
    CommandNotFound,
    /// A file or link of an archive would replace a directory, or a directory something else.
    Occupied,
    /// The source of a mount does not exist on the engine's host.
    MountMissing,
    /// The registry requires credentials, or rejected them.
    Unauthorized,
    /// The registry cannot be reached, or the connection broke.
    Network,
    /// The builder cannot read the Dockerfile.
    Dockerfile,
    /// A step of a build failed.
    Build,
    /// The kernel or the engine still uses what is to be removed. The condition passes.
    Busy,
    /// The engine cannot read the container's log driver.
    LogUnreadable,
    /// Anything else.
    Failed,
}

impl EngineErrorKind {
    /// The next step after a failure that has the same one in every call. `None` if the next step depends on the
    /// call.
    pub(crate) fn next_step(self) -> Option<&'static str> {
        match self {
            Self::NoSpace => Some(
                "free space where the engine keeps its data; `docker system df` shows what uses it",
            ),
            Self::PermissionDenied => Some(
                "let this user use the engine's socket, for Docker by adding it to the group `docker`",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.attempt, self.message)
    }
}

impl std::error::Error for EngineError {}
