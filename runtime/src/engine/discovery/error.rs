//! The error of an engine that was not found: what was tried, what each place said, and what to do.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::error::{EngineError, EngineErrorKind};

/// No engine can be used. Displays as several lines, ready for the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiscoveryError {
    pub(crate) kind: DiscoveryErrorKind,
    /// In the order in which they were tried.
    pub(crate) tried: Vec<Tried>,
}

/// Why no engine can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DiscoveryErrorKind {
    /// There is nothing anywhere.
    NoneFound,
    /// There is one, or one was asked for, but it does not answer.
    NotRunning,
    /// This user may not use the one there is.
    PermissionDenied,
    /// The one that was asked for cannot be used by what its address says.
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
    /// Whether it was asked for, rather than one of the usual places.
    pub(crate) asked_for: bool,
    /// How one starts it.
    pub(crate) start: String,
}

/// What a place said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// There is no such file.
    Missing,
    /// This user may not connect.
    Denied,
    /// Nobody listens.
    Refused,
    /// Somebody listens and says nothing in this time.
    Silent(Duration),
    /// Somebody answers, but not as an engine does.
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
    /// What came of trying these.
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
            // Of one that was asked for, it is known that it is there; it does not run.
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
            DiscoveryErrorKind::NoneFound => "no container engine was found; tried",
            DiscoveryErrorKind::NotRunning => "the container engine does not answer; tried",
            DiscoveryErrorKind::PermissionDenied => {
                "this user may not use the container engine; tried"
            }
            DiscoveryErrorKind::Unsupported => "the container engine asked for cannot be used",
        })?;
        for tried in &self.tried {
            write!(f, "\n  {} ({}): {tried}", tried.address, tried.origin)?;
        }
        match self.kind {
            DiscoveryErrorKind::NoneFound => f.write_str(
                "\ninstall Docker (https://docs.docker.com/engine/install/), or name an engine \
                 that is elsewhere, such as `SEATRIAL_ENGINE=unix:///path/to/docker.sock`",
            ),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for DiscoveryError {}

/// What it said, then what to do.
impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.answer {
            Answer::Missing if self.asked_for => write!(f, "no such file; {}", self.start),
            // Most of the usual places are not there, which needs no advice.
            Answer::Missing => f.write_str("no such file"),
            Answer::Denied if !self.address.ends_with("docker.sock") => {
                f.write_str("permission denied; run as the user whose engine it is")
            }
            Answer::Denied => f.write_str(
                "permission denied; add yourself to the `docker` group with `sudo usermod -aG \
                 docker \"$USER\"` and log in again",
            ),
            Answer::Refused => write!(f, "not running; {}", self.start),
            Answer::Silent(deadline) => {
                write!(
                    f,
                    "no answer within {deadline:?}; see whether it hangs, restart it, or raise `timeouts.engine` in seatrial.toml"
                )
            }
            Answer::Foreign(words) => {
                write!(
                    f,
                    "what listens there does not answer as a container engine: {words}"
                )
            }
            Answer::Unsupported(refusal) => f.write_str(refusal),
        }
    }
}
