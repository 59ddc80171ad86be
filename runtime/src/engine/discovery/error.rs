//! The error if no engine can be used: what was tried, what each place answered, and what to do.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::error::{EngineError, EngineErrorKind};

/// No engine can be used. Displays as several lines, ready for the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiscoveryError {
    pub(crate) kind: DiscoveryErrorKind,
    /// The places in the order in which they were tried.
    pub(crate) tried: Vec<Tried>,
}

/// Why no engine can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DiscoveryErrorKind {
    /// No place has an engine.
    NoneFound,
    /// An engine exists, or was asked for, but it does not answer.
    NotRunning,
    /// The user has no permission to use the engine.
    PermissionDenied,
    /// The address of the engine that was asked for is not supported.
    Unsupported,
}

/// A place that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tried {
    /// `unix:///var/run/docker.sock`.
    pub(crate) address: String,
    /// Why it was tried: `DOCKER_HOST`, `Colima`.
    pub(crate) origin: String,
    pub(crate) answer: Answer,
    /// Whether the user asked for this place. Otherwise it is one of the usual places.
    pub(crate) asked_for: bool,
    /// How to start the engine.
    pub(crate) start: String,
}

/// The answer of a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The socket does not exist.
    Missing,
    /// The user has no permission to connect.
    Denied,
    /// Nothing listens.
    Refused,
    /// The server has not answered within this time.
    Silent(Duration),
    /// The server that answers is not an engine.
    Foreign(String),
    /// Not tried: what is wrong with the address, then what to write instead.
    Unsupported(String),
}

impl Answer {
    pub(super) fn from_error(error: &EngineError) -> Self {
        match error.kind {
            EngineErrorKind::PermissionDenied => Self::Denied,
            EngineErrorKind::Unreachable if error.message.contains("refused") => Self::Refused,
            _ => Self::Foreign(error.message.clone()),
        }
    }
}

impl DiscoveryError {
    /// The error after all of these have failed.
    pub(super) fn new(tried: Vec<Tried>) -> Self {
        let said = |wanted: fn(&Answer) -> bool| tried.iter().any(|tried| wanted(&tried.answer));
        let kind = if said(|answer| matches!(answer, Answer::Denied)) {
            DiscoveryErrorKind::PermissionDenied
        } else if said(|answer| matches!(answer, Answer::Unsupported(_))) {
            DiscoveryErrorKind::Unsupported
        } else if tried
            .iter()
            .any(|tried| tried.asked_for || !matches!(tried.answer, Answer::Missing))
        {
            // An engine that was asked for is assumed to exist, but not to run.
            DiscoveryErrorKind::NotRunning
        } else {
            DiscoveryErrorKind::NoneFound
        };
        Self { kind, tried }
    }
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            DiscoveryErrorKind::NoneFound => "cannot find a container engine; tried",
            DiscoveryErrorKind::NotRunning => "the container engine does not answer; tried",
            DiscoveryErrorKind::PermissionDenied => {
                "cannot use the container engine: permission denied; tried"
            }
            DiscoveryErrorKind::Unsupported => "cannot use the configured container engine",
        })?;
        for tried in &self.tried {
            write!(f, "\n  {} ({}): {tried}", tried.address, tried.origin)?;
        }
        match self.kind {
            DiscoveryErrorKind::NoneFound => f.write_str(
                "\ninstall Docker (https://docs.docker.com/engine/install/), or set the \
                 address of an engine, such as `SEATRIAL_ENGINE=unix:///path/to/docker.sock`",
            ),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for DiscoveryError {}

/// The answer of the place, then what to do.
impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.answer {
            Answer::Missing if self.asked_for => write!(f, "no such file; {}", self.start),
            // Most of the usual places do not exist, which needs no help.
            Answer::Missing => f.write_str("no such file"),
            Answer::Denied if !self.address.ends_with("docker.sock") => {
                f.write_str("permission denied; run as the user who owns the engine")
            }
            Answer::Denied => f.write_str(
                "permission denied; add yourself to the `docker` group with `sudo usermod -aG \
                 docker \"$USER\"` and log in again",
            ),
            Answer::Refused => write!(f, "not running; {}", self.start),
            Answer::Silent(deadline) => {
                write!(
                    f,
                    "no answer within {deadline:?}; restart the engine if it hangs, or raise `timeouts.engine` in seatrial.toml"
                )
            }
            Answer::Foreign(reason) => {
                write!(
                    f,
                    "the server at this address is not a container engine: {reason}"
                )
            }
            Answer::Unsupported(refusal) => f.write_str(refusal),
        }
    }
}
