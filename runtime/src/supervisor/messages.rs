//! What the table is told, from outside and by the supervisor's own tasks, and what it answers. Plain data; nothing here
//! knows the table or an instance.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::Error;
use crate::protocol::{
    CallId, ClientId, HookFailure, HookKind, InstanceId, Launch, LeaseId, Message, Reply, Request,
    ServiceInfo,
};
use crate::run::process::ProcessId;
use crate::terminal::Shown;

/// What reaches the supervisor from outside.
#[derive(Debug)]
pub(crate) enum Input {
    /// A client that is to be sent its messages this way.
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
    /// Something for people to see, who look at the clients' terminals.
    Show(Shown),
    /// Whether more clients may come than those that are connected.
    RunGoesOn(bool),
    /// A run is over whose processes have used what is kept, or asked for it. On its terminal, where it had one, people may be
    /// told what stays.
    RunEnded {
        process: ProcessId,
        terminal: Option<PathBuf>,
    },
    /// The run is to be over at once, whoever is connected.
    End,
}

/// What the supervisor's own tasks tell it.
pub(crate) enum Internal {
    /// Call the user's function, and pass its outcome on.
    Hook(Hook),
    /// A launch has ended without success: what it holds goes.
    Failed { client: ClientId, lease: LeaseId },
    /// A launch waits for an instance that is discarded: it begins anew.
    Relaunch {
        client: ClientId,
        call: CallId,
        lease: LeaseId,
        launch: Arc<Launch>,
        until: Option<Instant>,
    },
    /// An instance that is kept is of no use any more.
    Unkept { instance: InstanceId, why: String },
    /// An instance did not come up.
    Settled,
    /// All of a stream has been sent.
    StreamEnded { client: ClientId, stream: CallId },
}

/// A call of a user's function.
pub(crate) struct Hook {
    /// Who has launched the service; then who runs the function.
    pub(super) client: ClientId,
    pub(super) kind: HookKind,
    pub(super) identity: String,
    pub(super) binding: usize,
    pub(super) service: Box<ServiceInfo>,
    pub(super) outcome: oneshot::Sender<HookOutcome>,
}

/// What a function has returned; or the process that ran it has ended.
pub(super) type HookOutcome = Result<Result<(), HookFailure>, ProcessEnded>;

/// A process ended in the middle of a function of the user's.
pub(super) struct ProcessEnded;

/// What comes of a call whose process is gone.
pub(super) const PROCESS_ENDED: &str = "the test process that has the function has ended";

/// Answers a call. A client that is gone wants no answer.
pub(super) fn answer(
    messages: &mpsc::UnboundedSender<Message>,
    call: CallId,
    outcome: Result<Reply, Error>,
) {
    let _ = messages.send(Message::Answer { call, outcome });
}
