//! What only looks at a running container: its log, a command run in it, files copied out of it.
//!
//! Served at once and side by side, also while the container is waited for. What changes the container's state is put off
//! until its turn, unless the user's own readiness check asks for it: that must not wait for itself.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use futures_util::StreamExt as _;
use seatrial_model::secret::Redactor;
use tokio::sync::mpsc;

use super::error_context::ErrorContext;
use super::instance::Instance;
use super::lines;
use super::orders::{Command, Order};
use super::running::Running;
use super::streams::Outgoing;
use crate::engine::{Engine, EngineError, ExecSpec, OutputUse};
use crate::output;
use crate::protocol::{Action, ExecOutput, HookKind, Reply};
use crate::visible::quoted;

/// A container that is queried.
pub(super) struct Queries {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) container: String,
    pub(super) error_context: ErrorContext,
}

impl Queries {
    /// Does what is asked in the background, and answers; hands back what is not a query.
    pub(super) fn serve(&self, command: Command) -> Option<Command> {
        let Command { order, mut answer } = command;
        let query = match order {
            Order::Act(Action::Logs { tail }) | Order::ActInHook(_, Action::Logs { tail }) => {
                Query::Logs { tail }
            }
            Order::Act(Action::Exec { command })
            | Order::ActInHook(_, Action::Exec { command }) => Query::Exec { command },
            Order::CopyOut { from, to } => Query::CopyOut { from, to },
            order => return Some(Command { order, answer }),
        };
        let (engine, container) = (self.engine.clone(), self.container.clone());
        let error_context = self.error_context.clone();
        tokio::spawn(async move {
            tokio::select! {
                outcome = query.run(&engine, &container, &error_context.redactor) => {
                    let _ = answer.send(outcome.map_err(|error| error_context.refused(&error)));
                }
                // Who asked is gone.
                () = answer.closed() => {}
            }
        });
        None
    }
}

enum Query {
    Logs { tail: Option<usize> },
    Exec { command: Vec<String> },
    CopyOut { from: String, to: Outgoing },
}

impl Query {
    async fn run(
        self,
        engine: &Arc<dyn Engine>,
        container: &str,
        redactor: &Redactor,
    ) -> Result<Reply, EngineError> {
        match self {
            Self::Logs { tail: None } => lines::all(engine, container).await.map(Reply::Log),
            // A tail is for a report of ours, which shows no secret.
            Self::Logs { tail: Some(count) } => {
                let lines = lines::last(engine, container, count).await?;
                Ok(Reply::Log(quoted(redactor, &lines.join("\n"))))
            }
            Self::Exec { command } => {
                let exec = ExecSpec {
                    command,
                    output: OutputUse::Answer,
                    ..ExecSpec::default()
                };
                let result = engine.exec(container, &exec).await?;
                Ok(Reply::Exec(ExecOutput {
                    code: result.code,
                    stdout: output::text(result.stdout, result.stdout_dropped),
                    stderr: output::text(result.stderr, result.stderr_dropped),
                    truncated: result.stdout_dropped + result.stderr_dropped,
                }))
            }
            Self::CopyOut { from, to } => {
                let mut tar = engine.download(container, &from);
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

/// What is asked of an instance, in the order of its coming, but for what only looks.
pub(super) struct Inbox {
    commands: mpsc::UnboundedReceiver<Command>,
    put_off: VecDeque<Command>,
}

impl Inbox {
    pub(super) fn new(commands: mpsc::UnboundedReceiver<Command>) -> Self {
        Self {
            commands,
            put_off: VecDeque::new(),
        }
    }

    /// The next command; `None` when there will be no more.
    pub(super) async fn next(&mut self) -> Option<Command> {
        match self.put_off.pop_front() {
            Some(command) => Some(command),
            None => self.commands.recv().await,
        }
    }

    /// Serves what must not wait until the service can be handed over, as long as it is polled: what only looks, and what a
    /// function of the user's of this kind asks for. The rest is put off.
    pub(super) async fn serve_meanwhile(
        &mut self,
        running: &Running,
        instance: &Instance,
        kind: HookKind,
    ) -> Infallible {
        let queries = running.queries(instance);
        while let Some(command) = self.next_of(kind).await {
            let Some(Command { order, answer }) = queries.serve(command) else {
                continue;
            };
            let is_due = match order.hook() {
                Some(HookKind::Ready) => true,
                Some(HookKind::Setup) => kind == HookKind::Setup,
                None => false,
            };
            let outcome = match order {
                Order::CopyIn { to, tar, .. } if is_due => {
                    running.copy_in(instance, &to, tar).await
                }
                Order::ActInHook(HookKind::Ready, action) => {
                    running.act_in_ready_hook(instance, action).await
                }
                Order::ActInHook(HookKind::Setup, action) if is_due => {
                    running.act_in_setup(instance, action, self).await
                }
                order => {
                    self.put_off.push_back(Command { order, answer });
                    continue;
                }
            };
            let _ = answer.send(outcome);
        }
        std::future::pending().await
    }

    /// The next command: first of those that were put off one that a function of this kind asked for, while the service was
    /// waited for on behalf of another.
    async fn next_of(&mut self, kind: HookKind) -> Option<Command> {
        let of_kind = |command: &Command| command.order.hook() == Some(kind);
        let position = self.put_off.iter().position(of_kind);
        match position {
            Some(position) => self.put_off.remove(position),
            None => self.commands.recv().await,
        }
    }
}
