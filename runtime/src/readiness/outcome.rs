//! What one attempt at a check showed.

/// What one attempt showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Holds,
    NotYet(String),
    /// Its port refuses connections.
    Unserved(String),
    Never(String),
    Panicked(String),
}
