//! The length of a container's output before a start.

use futures_util::StreamExt as _;

use crate::engine::{Engine, EngineError};

/// The length of a container's output in bytes. An engine keeps the output over restarts, and a log check after a
/// restart must not find older lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutputPosition {
    pub(crate) stdout: u64,
    pub(crate) stderr: u64,
}

impl OutputPosition {
    /// The length of the container's output so far. The container must not be running.
    ///
    /// # Errors
    ///
    /// Returns an error if the engine cannot deliver the output.
    pub(crate) async fn now(engine: &Engine, container: &str) -> Result<Self, EngineError> {
        let mut position = Self::default();
        let mut output = engine.logs(container, false, None);
        while let Some(piece) = output.next().await {
            let piece = piece?;
            match piece.stderr {
                true => position.stderr += piece.bytes.len() as u64,
                false => position.stdout += piece.bytes.len() as u64,
            }
        }
        Ok(position)
    }
}
