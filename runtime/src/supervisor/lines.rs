//! Reading a container's output as lines.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;

use futures_util::StreamExt as _;
use tokio::sync::watch;

use super::streams::Outgoing;
use crate::engine::{Engine, EngineError, EngineErrorKind, Output};
use crate::flow::Unread;
use crate::output::{self, End, OUTPUT_MAX};
use crate::protocol::{FollowEnd, LogLine};
use crate::readiness::OutputPosition;

/// The lines of both streams.
#[derive(Debug, Default)]
struct Lines {
    stdout: output::Lines,
    stderr: output::Lines,
}

impl Lines {
    /// Takes a piece, and emits the lines that it completes.
    fn take(&mut self, piece: &Output, mut line: impl FnMut(LogLine)) {
        let Output { stderr, bytes } = piece;
        let lines = match stderr {
            true => &mut self.stderr,
            false => &mut self.stdout,
        };
        let stderr = *stderr;
        lines.take(bytes, |text| line(LogLine { stderr, text }));
    }

    /// The last line without a line end.
    fn finish(self, mut line: impl FnMut(LogLine)) {
        for (stderr, lines) in [(false, self.stdout), (true, self.stderr)] {
            lines.finish(|text| line(LogLine { stderr, text }));
        }
    }
}

/// Everything that a container has written so far, or as much of its end as fits.
pub(super) async fn all(engine: &Engine, id: &str) -> Result<String, EngineError> {
    let mut pieces = engine.logs(id, false, None);
    let mut end = End::of(OUTPUT_MAX);
    while let Some(piece) = pieces.next().await {
        end.push(&piece?.bytes);
    }
    let (bytes, dropped) = end.finish();
    Ok(output::text(bytes, dropped))
}

/// The last lines that a container has written.
pub(super) async fn last(
    engine: &Engine,
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

/// Emits every line from the first, until the container has stopped or is gone. The engine ends the stream when the
/// container stops. After another start, which `starts` announces, the lines continue where they ended.
pub(super) async fn follow(
    engine: &Engine,
    id: &str,
    until: FollowEnd,
    mut starts: watch::Receiver<()>,
    to: &Outgoing,
) -> Result<(), EngineError> {
    let mut seen = OutputPosition::default();
    loop {
        starts.mark_unchanged();
        let mut skip = seen;
        let mut assembling = Lines::default();
        let mut output = engine.logs(id, true, None);
        let ended = loop {
            match output.next().await {
                Some(Ok(mut piece)) => {
                    let (skip, seen) = if piece.stderr {
                        (&mut skip.stderr, &mut seen.stderr)
                    } else {
                        (&mut skip.stdout, &mut seen.stdout)
                    };
                    let skipped = usize::try_from(*skip)
                        .map_or(piece.bytes.len(), |skip| skip.min(piece.bytes.len()));
                    piece.bytes.drain(..skipped);
                    *skip -= skipped as u64;
                    *seen += piece.bytes.len() as u64;
                    let mut lines = Vec::new();
                    assembling.take(&piece, |line| lines.push(line));
                    if send(to, lines).await.is_err() {
                        return Ok(());
                    }
                }
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        let mut lines = Vec::new();
        assembling.finish(|line| lines.push(line));
        if send(to, lines).await.is_err() {
            return Ok(());
        }
        match ended {
            Err(error) if error.kind != EngineErrorKind::NotFound => {
                return Err(error);
            }
            _ if until == FollowEnd::Stopped => return Ok(()),
            // The sender is dropped with the instance.
            _ if starts.changed().await.is_err() => return Ok(()),
            _ => {}
        }
    }
}

async fn send(to: &Outgoing, lines: Vec<LogLine>) -> Result<(), Unread> {
    for line in lines {
        to.line(line).await?;
    }
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
