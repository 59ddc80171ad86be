//! What a process does that was started as a supervisor.

use super::startup::Startup;
use crate::supervisor;

/// Serves the run until it is over.
///
/// # Errors
///
/// It cannot begin; said to the process that has started this one, and written to the log.
pub(super) fn run(startup: Startup) -> Result<(), String> {
    #[cfg(test)]
    if std::env::var_os(super::tests::SUPERVISOR).is_some() {
        return super::tests::supervisor::run(startup);
    }
    supervisor::process::run(startup)
}
