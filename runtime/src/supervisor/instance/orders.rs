//! What an instance is asked to do, by handles, by users' functions and by the table. Plain data, and the answer's way back.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::exec::Exec;
use crate::engine::Parts;
use crate::protocol::{Action, Caller, HookKind, Reply};
use crate::supervisor::context::Context;
use crate::supervisor::streams::Outgoing;
use crate::{Error, ErrorKind};

/// Something to do, and where the answer goes.
pub(in crate::supervisor) struct Command {
    pub(in crate::supervisor) order: Order,
    pub(in crate::supervisor) answer: oneshot::Sender<Result<Reply, Error>>,
}

/// What an instance is to do.
pub(in crate::supervisor) enum Order {
    /// What a handle asks for.
    Act(Action),
    /// The same, asked for by a function of the user's for which the instance waits.
    ActInHook(HookKind, Action),
    /// Unpack files that come, all at a path or below.
    CopyIn {
        to: String,
        /// Whether it is one file, which must not take a directory's place.
        is_file: bool,
        tar: Parts<Vec<u8>>,
        caller: Caller,
    },
    /// Run a command.
    Exec(Exec),
    /// Pack a file or directory, and send it.
    CopyOut {
        from: String,
        /// Whether a link is followed.
        follow: bool,
        to: Outgoing,
    },
    /// See whether it is as ready as it was.
    CheckAgain,
    /// See whether it runs still, at the end of its launch.
    StillRuns,
    /// The same, and whether it is made from the image that these settings lead to.
    CheckKept(Arc<Context>),
}

impl Order {
    /// The kind of the user's function that asks for it, if one does.
    pub(in crate::supervisor) fn hook(&self) -> Option<HookKind> {
        match self {
            Self::ActInHook(kind, _)
            | Self::CopyIn {
                caller: Caller::Hook(kind),
                ..
            } => Some(*kind),
            _ => None,
        }
    }
}

/// What comes of an order to an instance that has ended.
pub(in crate::supervisor) fn gone() -> Error {
    Error::new(ErrorKind::Operation, "the service is gone").with(|report| {
        report.help = Some(
            "a service lives as long as its scope: keep what uses it within the test, or give it a wider scope, such as `scope = run`"
                .to_owned(),
        );
    })
}
