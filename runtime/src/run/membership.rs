//! The run that a process belongs to, and a connection to the run's supervisor.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use super::process::ProcessId;

/// The run of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The same in all processes of the run, and in no others.
    pub(crate) key: String,
    /// The process with which the run ends. After its end, no further process joins the run.
    pub(crate) process: ProcessId,
}

/// A connection to the run's supervisor.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: UnixStream,
    /// The supervisor's log. It has what the supervisor cannot send to a client.
    pub(crate) log: PathBuf,
}
