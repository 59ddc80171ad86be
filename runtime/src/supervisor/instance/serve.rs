//! Serves the orders of an instance that is ready, one after another.

use super::checks::Thoroughness;
use super::inbox::Inbox;
use super::orders::{Command, Order};
use super::running::Running;
use super::state::Instance;
use crate::Error;
use crate::protocol::{Action, HookKind, Reply};

impl Running {
    /// Runs an order, and answers. Queries run concurrently, and changes of the state one by one.
    pub(super) async fn serve(&self, instance: &Instance, command: Command, inbox: &mut Inbox) {
        let Some(Command { order, mut answer }) = self.queries(instance).serve(command) else {
            return;
        };
        let thoroughness = match order {
            Order::Act(Action::WaitReady) => Thoroughness::All,
            Order::CheckAgain => Thoroughness::Again,
            Order::CheckKept(context) => {
                let outcome = self.check_kept(instance, &context, inbox).await;
                let _ = answer.send(outcome.map(|()| Reply::Done));
                return;
            }
            Order::Act(Action::Ended) => {
                let _ = answer.send(Ok(Reply::Ended(self.end_in_words(instance).await)));
                return;
            }
            Order::StillRuns => {
                let outcome = self.still_runs(instance).await;
                let _ = answer.send(outcome.map(|()| Reply::Done));
                return;
            }
            Order::Act(action) => {
                let outcome = self.act(instance, action, inbox).await;
                let _ = answer.send(outcome.map(|()| Reply::Done));
                return;
            }
            Order::ActInHook(_, action) => {
                let outcome = self.act_in_ready_hook(instance, action, inbox).await;
                let _ = answer.send(outcome);
                return;
            }
            Order::CopyIn {
                to, is_file, tar, ..
            } => {
                tokio::select! {
                    outcome = self.copy_in(instance, &to, is_file, tar) => {
                        let _ = answer.send(outcome);
                    }
                    // The files may come slowly.
                    never = self.serve_meanwhile(instance, inbox, HookKind::Ready) => match never {},
                    () = answer.closed() => {}
                }
                return;
            }
            Order::Exec(_) | Order::CopyOut { .. } => unreachable!("it is served elsewhere"),
        };
        tokio::select! {
            outcome = self.wait_ready(instance, inbox, thoroughness) => {
                let _ = answer.send(outcome.map(|()| Reply::Done));
            }
            // Nobody waits any more.
            () = answer.closed() => {}
        }
    }

    async fn act(
        &self,
        instance: &Instance,
        action: Action,
        inbox: &mut Inbox,
    ) -> Result<(), Error> {
        match action {
            Action::Stop { .. } | Action::Kill { signal: None } => {
                self.end_meanwhile(instance, action, inbox).await
            }
            Action::Start => {
                self.start(instance).await?;
                self.wait_started(instance, inbox).await
            }
            Action::Restart => {
                let stop = Action::Stop { grace_period: None };
                self.end_meanwhile(instance, stop, inbox).await?;
                self.start(instance).await?;
                self.wait_started(instance, inbox).await
            }
            action => self.act_at_once(instance, action).await,
        }
    }

    async fn wait_started(&self, instance: &Instance, inbox: &mut Inbox) -> Result<(), Error> {
        self.wait_ready(instance, inbox, Thoroughness::All).await?;
        instance.record("ready", &[]);
        Ok(())
    }
}
