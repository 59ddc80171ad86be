//! Why a wait has ended without success, as data and in words.
//!
//! Says nothing of what to do about it: that is for whoever waited.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a container is not ready. What it says has no secret, and lines of any length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotReady {
    pub(crate) reason: NotReadyReason,
    /// Each unmet check and what it last saw, in words; where one of them decided just that.
    pub(crate) waiting_for: Vec<String>,
    /// The ports among them to which connections were refused.
    pub(crate) unserved: Vec<u16>,
    pub(crate) after: Duration,
    /// How often the check that was attempted most was.
    pub(crate) attempts: u32,
}

/// What ended the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NotReadyReason {
    /// The container ended.
    Exited,
    /// The time is up.
    TimedOut,
    /// A check failed more often in a row than its declaration allows.
    FailedTooOften,
    /// A check cannot ever hold.
    Impossible,
    /// The user's function panicked.
    Panicked,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = Duration::from_millis(self.after.as_millis() as u64);
        match self.reason {
            NotReadyReason::Exited => write!(f, "it exited after {after:?}, before it was ready")?,
            NotReadyReason::TimedOut => write!(f, "it was not ready within {after:?}")?,
            NotReadyReason::FailedTooOften => {
                write!(f, "a check failed too often within {after:?}")?;
            }
            NotReadyReason::Impossible => f.write_str("it cannot be known to be ready")?,
            NotReadyReason::Panicked => write!(f, "a check panicked after {after:?}")?,
        }
        match self.waiting_for.as_slice() {
            [] => Ok(()),
            checks => write!(f, ": {}", checks.join("; ")),
        }
    }
}

impl std::error::Error for NotReady {}
