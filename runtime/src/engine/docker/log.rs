//! Reads a container's output once, as the engine delivers it.

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptions;
use futures_util::StreamExt as _;

use super::errors::{During, failed};
use crate::engine::exec::Output;
use crate::engine::parts::Parts;

/// The pieces of a container's output, from its beginning or from its last `tail` lines, and on to its end with
/// `follow`.
pub(super) fn log_pieces(
    api: &bollard::Docker,
    id: &str,
    follow: bool,
    tail: Option<usize>,
) -> Parts<Output> {
    let options = LogsOptions {
        follow,
        stdout: true,
        stderr: true,
        tail: tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string()),
        ..Default::default()
    };
    Box::pin(api.logs(id, Some(options)).map(|piece| {
        piece
            .map(output)
            .map_err(failed(During::Other, "read the logs"))
    }))
}

/// A piece of output in the terms of the boundary.
pub(super) fn output(piece: LogOutput) -> Output {
    let stderr = matches!(piece, LogOutput::StdErr { .. });
    Output {
        stderr,
        bytes: piece.into_bytes().into(),
    }
}
