//! The receivers of what comes of a call: of its answer, of its stream, or of the end of the process.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::flow::Allowance;
use crate::protocol::{CallId, LogLine, Reply};
use crate::{Error, terminal};

/// How long an ending process waits for an engine that does not answer.
const DEADLINE: Duration = Duration::from_secs(120);

/// The receiver of what comes of a call.
pub(super) enum Pending {
    Answer(oneshot::Sender<Result<Reply, Error>>),
    /// A process that is ending. It cannot use async primitives.
    Ending(Arc<Gone>),
    Lines(mpsc::UnboundedSender<Result<LogLine, Error>>),
    Job(mpsc::UnboundedSender<JobNews>),
    /// The pieces of an archive.
    Pieces(mpsc::UnboundedSender<Result<Vec<u8>, Error>>),
    /// A caller that sends pieces until the answer comes.
    Sending {
        answer: oneshot::Sender<Result<Reply, Error>>,
        allowance: Allowance,
    },
}

impl Pending {
    /// Delivers the answer. A receiver that is gone does not need it.
    pub(super) fn end(self, outcome: Result<Reply, Error>) {
        match self {
            Self::Answer(answer) => _ = answer.send(outcome),
            Self::Ending(gone) => gone.set(),
            Self::Job(news) => _ = news.send(JobNews::End(outcome)),
            // An error is the last item of a stream. Dropping the sender ends the stream.
            Self::Lines(lines) => _ = outcome.map_err(|error| lines.send(Err(error))),
            Self::Pieces(pieces) => _ = outcome.map_err(|error| pieces.send(Err(error))),
            Self::Sending { answer, allowance } => {
                allowance.stop();
                let _ = answer.send(outcome);
            }
        }
    }
}

/// What comes of a job.
#[derive(Debug)]
pub(crate) enum JobNews {
    Line(LogLine),
    End(Result<Reply, Error>),
}

/// A call with an archive or an input that is sent in pieces.
pub(crate) struct Sending {
    pub(crate) call: CallId,
    /// How much may be sent.
    pub(crate) allowance: Allowance,
    pub(crate) answer: oneshot::Receiver<Result<Reply, Error>>,
}

/// Set when the supervisor has removed everything.
#[derive(Default)]
pub(super) struct Gone {
    gone: Mutex<bool>,
    changed: Condvar,
}

impl Gone {
    pub(super) fn set(&self) {
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Blocks until it is set, or the deadline has passed. It uses no async runtime and no thread-local value, because it runs
    /// while the process ends.
    pub(super) fn wait(&self) {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let (gone, waited) = self
            .changed
            .wait_timeout_while(gone, DEADLINE, |gone| !*gone)
            .unwrap_or_else(PoisonError::into_inner);
        drop(gone);
        if waited.timed_out() {
            terminal::not_removed(DEADLINE);
        }
    }
}
