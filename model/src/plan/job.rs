//! Jobs: containers that run to their end.

use serde::{Deserialize, Serialize};

/// What makes a service a job: its container runs a command to its end instead of serving. It is ready when the command has exited
/// with 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// What is copied out of the container when it has ended, however it has ended.
    pub artifacts: Vec<Artifact>,
}

/// A file or directory that a job leaves behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its path in the container, relative to the working directory.
    pub from: String,
    /// Where it goes: a path relative to the declaring package's directory.
    pub to: String,
}
