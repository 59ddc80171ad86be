//! The messages to the table, from outside and from the supervisor's own tasks, and its answers. Plain data; must
//! not know the table or an instance.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::freshness::Files;
use crate::Error;
use crate::protocol::{
    CallId, ClientId, HookFailure, HookKind, InstanceId, Launch, LeaseId, Message, Reply, Request,
    ServiceInfo,
};
use crate::run::process::ProcessId;
use crate::terminal::Shown;

/// A message from outside.
#[derive(Debug)]
pub(crate) enum Input {
    /// A client and the way to send messages to it.
    Connected {
        client: ClientId,
        messages: mpsc::UnboundedSender<Message>,
    },
    Request {
        client: ClientId,
        request: Request,
    },
    /// The connection is closed, whatever became of the client.
    Disconnected {
        client: ClientId,
    },
    /// A text for the users at the clients' terminals.
    Show(Shown),
    /// Whether more clients may come.
    RunGoesOn(bool),
    /// A run is over whose processes have used what is kept, or asked for it. Its terminal, if any, can show what
    /// stays.
    RunEnded {
        process: ProcessId,
        terminal: Option<PathBuf>,
    },
    /// The run must end at once, whoever is connected.
    End,
}

/// A message from the supervisor's own tasks.
pub(crate) enum Internal {
    /// Call the user's function, and pass on its outcome.
    Hook(Hook),
    /// A launch has ended without success. What it holds must go.
    Failed { client: ClientId, lease: LeaseId },
    /// A launch waits for an instance that was discarded. It must begin again.
    Relaunch {
        client: ClientId,
        call: CallId,
        lease: LeaseId,
        launch: Arc<Launch>,
        until: Option<Instant>,
    },
    /// A launch of the family has its services.
    Launched { family: u64 },
    /// The files that a family's next spare may read were looked at. `None` if they could not be.
    Looked { family: u64, files: Option<Files> },
    /// A spare of the family was taken: whether the launch could have it.
    Taken { family: u64, was_fit: bool },
    /// A kept instance is no longer usable.
    Unkept { instance: InstanceId, why: String },
    /// An instance did not come up.
    Settled,
    /// All of a stream has been sent.
    StreamEnded { client: ClientId, stream: CallId },
}

/// A call of a user's function.
pub(crate) struct Hook {
    /// The client that launched the service, then the client that runs the function.
    pub(super) client: ClientId,
    pub(super) kind: HookKind,
    pub(super) identity: String,
    pub(super) binding: usize,
    pub(super) service: Box<ServiceInfo>,
    pub(super) outcome: oneshot::Sender<HookOutcome>,
}

/// The result of a function, or the end of the process that ran it.
pub(super) type HookOutcome = Result<Result<(), HookFailure>, ProcessEnded>;

/// The process ended while it ran a user's function.
pub(super) struct ProcessEnded;

/// The error of a call whose process has ended.
pub(super) const PROCESS_ENDED: &str = "the test process that has the function has ended";

/// Answers a call. A client that is gone needs no answer.
pub(super) fn answer(
    messages: &mpsc::UnboundedSender<Message>,
    call: CallId,
    outcome: Result<Reply, Error>,
) {
    let _ = messages.send(Message::Answer { call, outcome });
}
