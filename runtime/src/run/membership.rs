//! What a process knows of the run that it belongs to, and of the way to its supervisor.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use super::process::ProcessId;

/// A run, as its processes know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The same in all processes of the run, and in no others.
    pub(crate) key: String,
    /// When it has ended, no further process joins the run.
    pub(crate) process: ProcessId,
}

/// A connection to the run's supervisor.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: UnixStream,
    /// Where the supervisor writes what it cannot tell a client.
    pub(crate) log: PathBuf,
}
