//! Reading a container's output as lines.

use std::sync::Arc;

use futures_util::StreamExt as _;

use super::context::{Context, engine_error};
use crate::engine::{Engine, EngineError, Output};
use crate::protocol::LogLine;
use crate::{Error, ErrorKind};

/// Puts lines together from pieces that end anywhere.
#[derive(Debug, Default)]
struct Lines {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Lines {
    /// Takes a piece, and hands out the lines that it completes.
    fn take(&mut self, piece: &Output, mut line: impl FnMut(LogLine)) {
        let rest = if piece.stderr {
            &mut self.stderr
        } else {
            &mut self.stdout
        };
        rest.extend_from_slice(&piece.bytes);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let complete: Vec<u8> = rest.drain(..=end).collect();
            line(log_line(piece.stderr, &complete));
        }
    }

    /// What came without a line end.
    fn finish(self, mut line: impl FnMut(LogLine)) {
        for (stderr, rest) in [(false, self.stdout), (true, self.stderr)] {
            if !rest.is_empty() {
                line(log_line(stderr, &rest));
            }
        }
    }
}

fn log_line(stderr: bool, bytes: &[u8]) -> LogLine {
    let text = String::from_utf8_lossy(bytes);
    LogLine {
        stderr,
        text: text.trim_end_matches(['\n', '\r']).to_owned(),
    }
}

/// Everything a container has written so far.
pub(super) async fn whole(engine: &Arc<dyn Engine>, id: &str) -> Result<String, EngineError> {
    let mut output = engine.logs(id, false, None);
    let mut bytes = Vec::new();
    while let Some(piece) = output.next().await {
        bytes.extend(piece?.bytes);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The last lines that a container has written.
pub(super) async fn last(
    engine: &Arc<dyn Engine>,
    id: &str,
    count: usize,
) -> Result<Vec<String>, EngineError> {
    let mut output = engine.logs(id, false, Some(count));
    let mut assembling = Lines::default();
    let mut lines = Vec::new();
    while let Some(piece) = output.next().await {
        assembling.take(&piece?, |line| lines.push(line.text));
    }
    assembling.finish(|line| lines.push(line.text));
    Ok(lines)
}

/// Hands out every line from the first, until the container is gone. The engine ends the stream when the container
/// stops; after a restart it goes on where it was.
pub(super) async fn follow(
    context: &Context,
    id: &str,
    mut send: impl FnMut(LogLine),
) -> Result<(), Error> {
    let engine = context.engine().await?;
    let mut output = engine.logs(id, true, None);
    let mut assembling = Lines::default();
    while let Some(piece) = output.next().await {
        match piece {
            Ok(piece) => assembling.take(&piece, &mut send),
            Err(error) => {
                assembling.finish(&mut send);
                return Err(engine_error(ErrorKind::Operation, &error));
            }
        }
    }
    assembling.finish(&mut send);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_per_stream() {
        let piece = |stderr, text: &str| Output {
            stderr,
            bytes: text.as_bytes().to_vec(),
        };
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for piece in [
            piece(false, "one\ntw"),
            piece(true, "err"),
            piece(false, "o\r\nthree"),
            piece(true, "or\n"),
        ] {
            lines.take(&piece, |line| seen.push((line.stderr, line.text)));
        }
        lines.finish(|line| seen.push((line.stderr, line.text)));
        let expected = [
            (false, "one"),
            (false, "two"),
            (true, "error"),
            (false, "three"),
        ];
        let expected: Vec<_> = expected
            .map(|(stderr, text)| (stderr, text.to_owned()))
            .into();
        assert_eq!(seen, expected);
    }
}
