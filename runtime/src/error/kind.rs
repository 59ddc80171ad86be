//! The kinds of errors that users can tell apart.

use serde::{Deserialize, Serialize};

/// What an [`Error`](crate::Error) is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No engine can be reached, or the connection to it is lost.
    Engine,
    /// `seatrial.toml` or a `SEATRIAL_*` variable is wrong.
    Configuration,
    /// An image cannot be obtained.
    Image,
    /// A binary of the workspace cannot be built.
    Build,
    /// A container cannot be created or started.
    Start,
    /// A container exited before its service was ready.
    Exited,
    /// A service was not ready in time.
    NotReady,
    /// The setup of a service failed.
    Setup,
    /// A job has failed: it exited with another code than 0, did not end in time, or did not leave what it should.
    Job,
    /// An operation on a running service failed.
    Operation,
    /// A file or directory of this machine cannot be read or written.
    Files,
    /// The time for the test is over, see [`timeout`](macro@crate::test#time-outs).
    TimedOut,
    /// The process was told to end, by Ctrl-C for one.
    Interrupted,
}

/// The same kinds, for messages: the public type is not serializable.
#[derive(Serialize, Deserialize)]
#[serde(remote = "ErrorKind")]
pub(super) enum ErrorKindForm {
    Engine,
    Configuration,
    Image,
    Build,
    Start,
    Exited,
    NotReady,
    Setup,
    Job,
    Operation,
    Files,
    TimedOut,
    Interrupted,
}
