//! Systems on which a supervisor cannot be a process of its own yet: the same functions, which return that as an error.

use super::error::StartError;
use super::membership::{Connection, Run};

impl Run {
    /// The run of this process.
    ///
    /// # Errors
    ///
    /// Always.
    pub(crate) fn of_process() -> Result<Self, StartError> {
        Err(StartError::Unsupported)
    }
}

/// Connects to the supervisor of the run, which is started if there is none.
///
/// # Errors
///
/// Always.
pub(crate) fn connect(_: &Run) -> Result<Connection, StartError> {
    Err(StartError::Unsupported)
}

/// Connects to the keeper of this key, which is started if there is none.
///
/// # Errors
///
/// Always.
pub(crate) fn connect_to_keeper(_: &str) -> Result<Connection, StartError> {
    Err(StartError::Unsupported)
}

/// Connects to the keeper of this key, where there is one.
///
/// # Errors
///
/// Never: there is none.
pub(crate) fn find_keeper(_: &str) -> Result<Option<Connection>, StartError> {
    Ok(None)
}
