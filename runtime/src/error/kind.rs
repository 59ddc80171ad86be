//! What errors are about, as users tell them apart.

use serde::{Deserialize, Serialize};

/// What an [`Error`](crate::Error) is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No engine could be reached, or it went away.
    Engine,
    /// `seatrial.toml` or a `SEATRIAL_*` variable is wrong.
    Configuration,
    /// An image could not be had.
    Image,
    /// A container could not be created or started.
    Start,
    /// A container ended before its service was ready.
    Exited,
    /// A service was not ready in time.
    NotReady,
    /// What sets a service up failed.
    Setup,
    /// An operation on a running service failed.
    Operation,
    /// A file or directory of this machine could not be read or written.
    Files,
    /// The time for the test was over, see [`timeout`](macro@crate::test#time-outs).
    TimedOut,
    /// The process was asked to end.
    Interrupted,
}

/// The same for messages: users cannot serialize the kind of an error.
#[derive(Serialize, Deserialize)]
#[serde(remote = "ErrorKind")]
pub(super) enum ErrorKindForm {
    Engine,
    Configuration,
    Image,
    Start,
    Exited,
    NotReady,
    Setup,
    Operation,
    Files,
    TimedOut,
    Interrupted,
}
