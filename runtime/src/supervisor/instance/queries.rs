//! Requests that only read from a running container: its log, a command in it, files copied out of it.
//!
//! They are served at once and concurrently, also while the instance waits for the container.

use futures_util::StreamExt as _;

use super::exec::Exec;
use super::orders::{Command, Order};
use super::status;
use crate::Error;
use crate::engine::{Engine, EngineError, EngineErrorKind};
use crate::protocol::{Action, Reply};
use crate::supervisor::content;
use crate::supervisor::error_context::ErrorContext;
use crate::supervisor::exits::LatestExit;
use crate::supervisor::lines;
use crate::supervisor::streams::Outgoing;
use crate::visible::quoted;

/// The container of the queries.
#[derive(Clone)]
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
            Order::Act(Action::Status) | Order::ActInHook(_, Action::Status) => Query::Status,
            Order::Exec(exec) => Query::Exec(exec),
            Order::CopyOut { from, follow, to } => Query::CopyOut { from, follow, to },
            order => return Some(Command { order, answer }),
        };
        let queries = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                outcome = queries.run(query) => drop(answer.send(outcome)),
                // The caller is gone.
                () = answer.closed() => {}
            }
        });
        None
    }

    async fn run(&self, query: Query) -> Result<Reply, Error> {
        let (engine, container) = (&self.engine, &*self.container);
        let reply = match query {
            Query::Exec(exec) => return exec.run(engine, container, &self.error_context).await,
            Query::Logs { tail: None } => lines::all(engine, container).await.map(Reply::Log),
            Query::Logs { tail: Some(count) } => self.tail(count).await,
            Query::Status => {
                let status = status::of(engine, container, &self.exit).await;
                status.map(Reply::Status)
            }
            Query::CopyOut { from, follow, to } => {
                let copied = self.copy_out(&from, follow, &to).await;
                // An engine says this of a container that is gone, too.
                if let Err(EngineError {
                    kind: EngineErrorKind::NotFound,
                    ..
                }) = copied
                    && engine.inspect(container).await.is_ok()
                {
                    return Err(self.error_context.no_file(&from));
                }
                copied
            }
        };
        reply.map_err(|error| self.error_context.refused(&error))
    }

    /// The last lines of the log. They are part of one of our reports, which must not show a secret.
    async fn tail(&self, count: usize) -> Result<Reply, EngineError> {
        let lines = lines::last(&self.engine, &self.container, count).await?;
        let text = quoted(&self.error_context.redactor, &lines.join("\n"));
        Ok(Reply::Log(text))
    }

    async fn copy_out(
        &self,
        from: &str,
        follow: bool,
        to: &Outgoing,
    ) -> Result<Reply, EngineError> {
        let mut tar = match follow {
            true => content::followed(&self.engine, &self.container, from).await,
            false => self.engine.download(&self.container, from),
        };
        while let Some(piece) = tar.next().await {
            if to.bytes(piece?).await.is_err() {
                break;
            }
        }
        Ok(Reply::Done)
    }
}

enum Query {
    Logs {
        tail: Option<usize>,
    },
    Status,
    Exec(Exec),
    CopyOut {
        from: String,
        follow: bool,
        to: Outgoing,
    },
}
