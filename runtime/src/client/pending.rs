//! Who waits for what comes of a call: for its answer, for what it streams, or for the end of the process.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::flow::Allowance;
use crate::protocol::{CallId, LogLine, Reply};
use crate::{Error, terminal};

/// How long an ending process waits for an engine that does not answer.
const DEADLINE: Duration = Duration::from_secs(120);

/// Who waits for what comes of a call.
pub(super) enum Pending {
    Answer(oneshot::Sender<Result<Reply, Error>>),
    /// Someone who cannot use an async primitive: a process that is ending.
    Ending(Arc<Gone>),
    Lines(mpsc::UnboundedSender<Result<LogLine, Error>>),
    /// The pieces of an archive.
    Pieces(mpsc::UnboundedSender<Result<Vec<u8>, Error>>),
    /// Someone who sends what belongs to the call meanwhile.
    Sending {
        answer: oneshot::Sender<Result<Reply, Error>>,
        allowance: Allowance,
    },
}

impl Pending {
    /// There is the answer. Who has gone does not need it.
    pub(super) fn end(self, outcome: Result<Reply, Error>) {
        match self {
            Self::Answer(answer) => _ = answer.send(outcome),
            Self::Ending(gone) => gone.set(),
            // An error is the last item of a stream, dropping the sender ends it.
            Self::Lines(lines) => _ = outcome.map_err(|error| lines.send(Err(error))),
            Self::Pieces(pieces) => _ = outcome.map_err(|error| pieces.send(Err(error))),
            Self::Sending { answer, allowance } => {
                allowance.stop();
                let _ = answer.send(outcome);
            }
        }
    }
}

/// A call with which something is sent.
pub(crate) struct Sending {
    pub(crate) call: CallId,
    /// What may be sent of it.
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

    /// Blocks until it is set, or the deadline has passed. Uses nothing of an async runtime and no thread-local value:
    /// it runs while the process ends.
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
