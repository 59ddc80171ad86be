//! Why a wait has ended without success, as data.
//!
//! Says nothing of what to do about it: that is for whoever waited.

use std::time::Duration;

/// Why a container is not ready. What it says has no secret, and lines of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotReady {
    pub(crate) reason: NotReadyReason,
    /// Each unmet check and what it last saw, in words; where one of them decided just that.
    pub(crate) waiting_for: Vec<String>,
    /// The ports among them to which connections were refused.
    pub(crate) unserved: Vec<u16>,
    pub(crate) after: Duration,
}

/// What ended the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
