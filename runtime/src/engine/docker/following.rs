//! A log that is followed from its beginning to its end, whatever an engine leaves out of it.
//!
//! Some engines (Docker before 23) end a followed log when the container ends, wherever the reader is by then: the last
//! lines, which say why it ended, are lost without a word. So at the end the log is read once more, and what was not
//! given yet is given.
//!
//! And where a container writes fast on a busy machine, some (Docker 20.10) stop in the middle: what was written stays
//! unseen until more is. So where nothing comes for a while, it is seen whether the log ends with what came last.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::timeout;

use super::log::log_pieces;
use crate::engine::error::{EngineError, EngineErrorKind};
use crate::engine::exec::Output;
use crate::engine::parts::Parts;

/// For how long nothing comes before the log's end is looked at: at first, and, for most services have nothing to say, at
/// last.
const QUIET: Duration = Duration::from_secs(1);
const LONGEST_QUIET: Duration = Duration::from_secs(30);

struct Following {
    api: bollard::Docker,
    id: String,
    pieces: Parts<Output>,
    /// How much was given.
    given: Bytes,
    /// What is left to pass over of what is being read, for it was given before.
    skip: Bytes,
    /// What came last, given or passed over.
    last: Option<Output>,
    quiet: Duration,
    /// Whether the log is read for the last time.
    is_ending: bool,
}

/// How many bytes there are of each stream.
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

/// The whole log of a container, and on to its end. `pieces` is what the engine makes of that.
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
                // Removed by now, and its log with it.
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

    /// Reads the log from its beginning, past what was given, and on where it is to be followed.
    fn read_again(&mut self, follow: bool) {
        self.skip = self.given;
        self.pieces = log_pieces(&self.api, &self.id, follow, None);
        self.is_ending = !follow;
    }

    /// Whether the log ends with something else than what came last. Lines that are alike are not told apart.
    async fn has_fallen_behind(&mut self) -> bool {
        let tail = log_pieces(&self.api, &self.id, false, Some(1));
        let tail: Result<Vec<Output>, _> = tail.try_collect().await;
        // Why it cannot be read, whoever follows is told by what follows.
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
    use crate::engine::scripted::{self, begins, head, ok, what_it_is};

    /// Lines as the engine sends them, each in a frame of its own.
    fn frames(lines: &[&str]) -> String {
        let frame = |line: &&str| {
            let length = u8::try_from(line.len()).expect("a short line");
            format!("\u{1}\0\0\0\0\0\0{}{line}", char::from(length))
        };
        lines.iter().map(frame).collect()
    }

    /// An engine whose followed log stops after two lines when it is followed for the first time.
    async fn serve(mut stream: UnixStream, followed: Arc<AtomicU32>) {
        while let Some(request) = head(&mut stream).await {
            let answer = if let Some(answer) = what_it_is(&request) {
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
    async fn what_an_engine_has_stopped_at_is_given_all_the_same_and_once() {
        let followed = Arc::<AtomicU32>::default();
        let counted = followed.clone();
        let (docker, _socket) = scripted::open(move |stream| serve(stream, counted.clone())).await;
        let mut log = docker.logs("one", true, None);
        for line in ["one\n", "two\n", "three\n"] {
            let piece = log.next().await.expect("a piece").expect("no error");
            assert_eq!(piece.bytes, line.as_bytes());
        }
        // It ends with what came last, so it is followed on.
        timeout(2 * QUIET, log.next())
            .await
            .expect_err("it goes on");
        assert_eq!(followed.load(Ordering::SeqCst), 2);
    }
}
