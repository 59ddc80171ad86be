//! How much a container had written before it was started.

use futures_util::StreamExt as _;

use crate::engine::{Engine, EngineError};

/// How much a container has written, in bytes. An engine keeps a container's output over its restarts: a log check after
/// one must not find what was written before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutputPosition {
    pub(crate) stdout: u64,
    pub(crate) stderr: u64,
}

impl OutputPosition {
    /// How much the container has written so far. To be asked while it does not run.
    ///
    /// # Errors
    ///
    /// When the engine cannot deliver the output.
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
