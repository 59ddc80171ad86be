//! Why a wait has ended without success, as data.
//!
//! Must not give advice: that is for the caller.

use std::time::Duration;

/// Why a container is not ready. The texts have no secrets. Their lines have any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotReady {
    pub(crate) reason: NotReadyReason,
    /// Each unmet check with its last result, or only the check that ended the wait.
    pub(crate) waiting_for: Vec<String>,
    /// What to do about the results of these checks whose cause is known.
    pub(crate) advice: Vec<String>,
    /// The ports of these checks that refused connections.
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
    /// The check can never hold.
    FailedTooOften,
    /// A check cannot ever hold.
    Impossible,
    /// The user's function panicked.
    Panicked,
}
