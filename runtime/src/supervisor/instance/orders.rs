//! The orders to an instance from handles, users' functions and the table. Plain data, with a channel for the
//! answer.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::exec::Exec;
use crate::engine::Parts;
use crate::protocol::{Action, Caller, HookKind, Reply};
use crate::supervisor::context::Context;
use crate::supervisor::streams::Outgoing;
use crate::{Error, ErrorKind};

/// An order, and the channel for its answer.
pub(in crate::supervisor) struct Command {
    pub(in crate::supervisor) order: Order,
    pub(in crate::supervisor) answer: oneshot::Sender<Result<Reply, Error>>,
}

/// What an instance should do.
pub(in crate::supervisor) enum Order {
    /// A request of a handle.
    Act(Action),
    /// The same from a user's function for which the instance waits.
    ActInHook(HookKind, Action),
    /// Unpack files that come, all at a path or below.
    CopyIn {
        to: String,
        /// Whether it is one file or link, which must not take a directory's place.
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
    /// Check that the service is as ready as it was.
    CheckAgain,
    /// Check that the service still runs, at the end of its launch.
    StillRuns,
    /// The same, and check that it was made from the image of these settings.
    CheckKept(Arc<Context>),
}

impl Order {
    /// The kind of the user's function that sent the order, if one did.
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

    /// Whether it may run while the instance waits for a function of this kind. A setup waits for readiness functions, too, as it may
    /// restart its service.
    pub(super) fn is_due(&self, awaited: HookKind) -> bool {
        match self.hook() {
            Some(HookKind::Ready) => true,
            Some(HookKind::Setup) => awaited == HookKind::Setup,
            None => false,
        }
    }

    /// Whether it sends the container's process a signal. That is not put off until a stop has come to its end.
    pub(super) fn signals(&self) -> bool {
        let (Self::Act(action) | Self::ActInHook(_, action)) = self else {
            return false;
        };
        matches!(action, Action::Kill { .. })
    }

    /// Whether it starts the container.
    pub(super) fn starts(&self) -> bool {
        let (Self::Act(action) | Self::ActInHook(_, action)) = self else {
            return false;
        };
        matches!(action, Action::Start | Action::Restart)
    }
}

/// The error of an order to an instance that has ended.
pub(in crate::supervisor) fn gone() -> Error {
    Error::new(ErrorKind::Operation, "the service is gone").with(|report| {
        report.help = Some(
            "a service lives as long as its scope: keep what uses it within the test, or give it a wider scope, such as `scope = run`"
                .to_owned(),
        );
    })
}
