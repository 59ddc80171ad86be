//! Follows a log from its beginning to its end, even if an engine leaves parts out.
//!
//! Some engines (Docker before 23) end a followed log when the container ends, wherever the reader is by then. The last
//! lines, which say why the container ended, are lost silently. So the log is read once more at the end, and the rest
//! is delivered.
//!
//! Some engines (Docker 20.10) stop in the middle if a container writes fast on a busy machine, until the container
//! writes more. So if nothing comes for a while, the end of the log is compared with the last piece that came.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::timeout;

use super::log::log_pieces;
use crate::engine::error::{EngineError, EngineErrorKind};
use crate::engine::exec::Output;
use crate::engine::parts::Parts;

/// How long nothing may come before the log's end is checked. The time grows from the first value to the second, as
/// most services are mostly silent.
const QUIET: Duration = Duration::from_secs(1);
const LONGEST_QUIET: Duration = Duration::from_secs(30);

struct Following {
    api: bollard::Docker,
    id: String,
    pieces: Parts<Output>,
    /// The number of bytes delivered.
    given: Bytes,
    /// The number of bytes left to skip, as they were delivered before.
    skip: Bytes,
    /// The last piece that came, whether delivered or skipped.
    last: Option<Output>,
    quiet: Duration,
    /// Whether the log is read for the last time.
    is_ending: bool,
}

/// A number of bytes for each stream.
#[derive(Clone, Copy, Default)]
struct Bytes {
    stdout: usize,
    stderr: usize,
}

impl Bytes {
    fn of(&mut self, piece: &Output) -> &mut usize {
        match piece.stderr {
            true => &mut self.stderr,
            false => &mut self.stdout,
        }
    }
}

/// A container's log from its beginning to its end. `pieces` is the log as the engine follows it.
pub(super) fn followed(api: bollard::Docker, id: String, pieces: Parts<Output>) -> Parts<Output> {
    let following = Following {
        api,
        id,
        pieces,
        given: Bytes::default(),
        skip: Bytes::default(),
        last: None,
        quiet: QUIET,
        is_ending: false,
    };
    Box::pin(stream::unfold(following, Following::next))
}

impl Following {
    async fn next(mut self) -> Option<(Result<Output, EngineError>, Self)> {
        loop {
            match self.piece().await {
                Some(Ok(mut piece)) => {
                    self.last = Some(piece.clone());
                    self.quiet = QUIET;
                    let skip = self.skip.of(&piece);
                    let known = piece.bytes.len().min(*skip);
                    *skip -= known;
                    piece.bytes.drain(..known);
                    if !piece.bytes.is_empty() {
                        *self.given.of(&piece) += piece.bytes.len();
                        return Some((Ok(piece), self));
                    }
                }
                None if self.is_ending => return None,
                None => self.read_again(false),
                // The container and its log are removed by now.
                Some(Err(error)) if self.is_ending && error.kind == EngineErrorKind::NotFound => {
                    return None;
                }
                Some(Err(error)) => {
                    self.pieces = Box::pin(stream::empty());
                    self.is_ending = true;
                    return Some((Err(error), self));
                }
            }
        }
    }

    async fn piece(&mut self) -> Option<Result<Output, EngineError>> {
        loop {
            if self.is_ending {
                return self.pieces.next().await;
            }
            if let Ok(piece) = timeout(self.quiet, self.pieces.next()).await {
                return piece;
            }
            let quiet = (self.quiet * 2).min(LONGEST_QUIET);
            if self.has_fallen_behind().await {
                self.read_again(true);
            }
            self.quiet = quiet;
        }
    }

    /// Reads the log from its beginning, skips what was delivered, and follows it if asked to.
    fn read_again(&mut self, follow: bool) {
        self.skip = self.given;
        self.pieces = log_pieces(&self.api, &self.id, follow, None);
        self.is_ending = !follow;
    }

    /// Whether the log's last line differs from the last piece that came. Equal lines cannot be told apart.
    async fn has_fallen_behind(&mut self) -> bool {
        let tail = log_pieces(&self.api, &self.id, false, Some(1));
        let tail: Result<Vec<Output>, _> = tail.try_collect().await;
        // If the log cannot be read, the followed log reports the error.
        tail.is_ok_and(|tail| tail.last() != self.last.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::UnixStream;

    use super::*;
    use crate::engine::scripted::{self, begins, head, introduction, ok};

    /// Log lines as the engine sends them, each in its own frame.
    fn frames(lines: &[&str]) -> String {
        let frame = |line: &&str| {
            let length = u8::try_from(line.len()).expect("a short line");
            format!("\u{1}\0\0\0\0\0\0{}{line}", char::from(length))
        };
        lines.iter().map(frame).collect()
    }

    /// An engine whose followed log stops after two lines the first time.
    async fn serve(mut stream: UnixStream, followed: Arc<AtomicU32>) {
        while let Some(request) = head(&mut stream).await {
            let answer = if let Some(answer) = introduction(&request) {
                answer
            } else if request.contains("tail=1") {
                ok(&frames(&["three\n"]))
            } else {
                let is_first = followed.fetch_add(1, Ordering::SeqCst) == 0;
                let lines = ["one\n", "two\n", "three\n"];
                begins(&frames(&lines[..if is_first { 2 } else { 3 }]))
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    #[tokio::test]
    async fn lines_that_an_engine_leaves_out_are_delivered_once() {
        let followed = Arc::<AtomicU32>::default();
        let counted = followed.clone();
        let (docker, _socket) = scripted::open(move |stream| serve(stream, counted.clone())).await;
        let mut log = docker.logs("one", true, None);
        for line in ["one\n", "two\n", "three\n"] {
            let piece = log.next().await.expect("a piece").expect("no error");
            assert_eq!(piece.bytes, line.as_bytes());
        }
        // The log ends with the last piece that came, so it is followed further.
        timeout(2 * QUIET, log.next())
            .await
            .expect_err("it goes on");
        assert_eq!(followed.load(Ordering::SeqCst), 2);
    }
}
