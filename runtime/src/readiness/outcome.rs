//! The result of one attempt at a check.

/// The result of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Holds,
    NotYet(String),
    /// The port refuses connections.
    Unserved(String),
    Never(String),
    Panicked(String),
}
