//! Requests that only read from a running container: its log, a command in it, files copied out of it.
//!
//! They are served at once and concurrently, also while the instance waits for the container.

use futures_util::StreamExt as _;
use seatrial_model::secret::Redactor;

use super::orders::{Command, Order};
use super::status;
use crate::engine::{Engine, EngineError};
use crate::protocol::{Action, Reply};
use crate::supervisor::content;
use crate::supervisor::error_context::ErrorContext;
use crate::supervisor::exits::LatestExit;
use crate::supervisor::lines;
use crate::supervisor::streams::Outgoing;
use crate::visible::quoted;

/// The container of the queries.
pub(super) struct Queries {
    pub(super) engine: Engine,
    pub(super) container: String,
    pub(super) error_context: ErrorContext,
    pub(super) exit: LatestExit,
}

impl Queries {
    /// Runs a query in the background, and answers. Returns what is not a query.
    pub(super) fn serve(&self, command: Command) -> Option<Command> {
        let Command { order, mut answer } = command;
        let query = match order {
            Order::Act(Action::Logs { tail }) | Order::ActInHook(_, Action::Logs { tail }) => {
                Query::Logs { tail }
            }
            Order::Act(Action::Status) | Order::ActInHook(_, Action::Status) => {
                let (engine, container) = (self.engine.clone(), self.container.clone());
                let (error_context, exit) = (self.error_context.clone(), self.exit.clone());
                status::serve(engine, container, error_context, exit, answer);
                return None;
            }
            Order::Exec(exec) => {
                let (engine, container) = (self.engine.clone(), self.container.clone());
                exec.serve(engine, container, self.error_context.clone(), answer);
                return None;
            }
            Order::CopyOut { from, follow, to } => Query::CopyOut { from, follow, to },
            order => return Some(Command { order, answer }),
        };
        let (engine, container) = (self.engine.clone(), self.container.clone());
        let error_context = self.error_context.clone();
        tokio::spawn(async move {
            tokio::select! {
                outcome = query.run(&engine, &container, &error_context.redactor) => {
                    let _ = answer.send(outcome.map_err(|error| error_context.refused(&error)));
                }
                // The caller is gone.
                () = answer.closed() => {}
            }
        });
        None
    }
}

enum Query {
    Logs {
        tail: Option<usize>,
    },
    CopyOut {
        from: String,
        follow: bool,
        to: Outgoing,
    },
}

impl Query {
    async fn run(
        self,
        engine: &Engine,
        container: &str,
        redactor: &Redactor,
    ) -> Result<Reply, EngineError> {
        match self {
            Self::Logs { tail: None } => lines::all(engine, container).await.map(Reply::Log),
            // A tail is part of one of our reports, which must not show a secret.
            Self::Logs { tail: Some(count) } => {
                let lines = lines::last(engine, container, count).await?;
                Ok(Reply::Log(quoted(redactor, &lines.join("\n"))))
            }
            Self::CopyOut { from, follow, to } => {
                let mut tar = match follow {
                    true => content::followed(engine, container, &from).await,
                    false => engine.download(container, &from),
                };
                while let Some(piece) = tar.next().await {
                    if to.bytes(piece?).await.is_err() {
                        break;
                    }
                }
                Ok(Reply::Done)
            }
        }
    }
}
