//! The part of a container's log that an error shows.

use crate::engine::Engine;
use crate::supervisor::lines;

/// The number of log lines in an error.
pub(in crate::supervisor) const LOG_LINES: usize = 20;

/// The last lines of a service's log for a report, or a sentence with the reason if there are none.
pub(in crate::supervisor) async fn tail(
    engine: &Engine,
    id: &str,
) -> (Vec<String>, Option<String>) {
    match lines::last(engine, id, LOG_LINES).await {
        Ok(log) if log.is_empty() => (log, Some("the service has logged nothing".to_owned())),
        Ok(log) => (log, None),
        Err(error) => (
            Vec::new(),
            Some(format!("its log is not available: {error}")),
        ),
    }
}
