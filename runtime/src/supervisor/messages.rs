//! What the table is told: from outside, and by the supervisor's own tasks.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::hooks::Hook;
use crate::protocol::{CallId, ClientId, InstanceId, Launch, LeaseId, Message, Request};
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
