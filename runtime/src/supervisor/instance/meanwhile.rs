//! What an instance serves while it waits for its container: queries, and requests of the user's own functions,
//! which must not wait for themselves. Everything else is deferred until its turn.

use std::convert::Infallible;
use std::pin::Pin;

use super::checks::Thoroughness;
use super::inbox::Inbox;
use super::orders::{Command, Order};
use super::running::Running;
use super::state::Instance;
use crate::protocol::{Action, HookKind, Reply};
use crate::{Error, ErrorKind};

impl Running {
    /// Waits until the service is ready, and meanwhile serves what must not wait for that.
    ///
    /// # Errors
    ///
    /// Returns the reason if the service does not become ready.
    pub(super) async fn wait_ready(
        &self,
        instance: &Instance,
        inbox: &mut Inbox,
        thoroughness: Thoroughness,
    ) -> Result<(), Error> {
        let meanwhile = self.serve_meanwhile(instance, inbox, HookKind::Ready);
        self.check(instance, thoroughness, meanwhile).await
    }

    /// Serves what must not wait for the service, for as long as it is polled: queries, and requests of a user's
    /// function of this kind. The rest is deferred.
    pub(super) async fn serve_meanwhile(
        &self,
        instance: &Instance,
        inbox: &mut Inbox,
        kind: HookKind,
    ) -> Infallible {
        let queries = self.queries(instance);
        while let Some(command) = inbox.next_of(kind).await {
            let Some(Command { order, answer }) = queries.serve(command) else {
                continue;
            };
            let is_due = match order.hook() {
                Some(HookKind::Ready) => true,
                Some(HookKind::Setup) => kind == HookKind::Setup,
                None => false,
            };
            let outcome = match order {
                Order::CopyIn {
                    to, is_file, tar, ..
                } if is_due => self.copy_in(instance, &to, is_file, tar).await,
                Order::ActInHook(HookKind::Ready, action) => {
                    self.act_in_ready_hook(instance, action).await
                }
                Order::ActInHook(HookKind::Setup, action) if is_due => {
                    self.act_in_setup(instance, action, inbox).await
                }
                order => {
                    inbox.put_off(Command { order, answer });
                    continue;
                }
            };
            let _ = answer.send(outcome);
        }
        std::future::pending().await
    }

    /// Runs any action for the user's setup. A stop does not fail the launch.
    pub(super) fn act_in_setup<'a>(
        &'a self,
        instance: &'a Instance,
        action: Action,
        inbox: &'a mut Inbox,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>> {
        // Boxed, as it serves the same inbox while it waits.
        Box::pin(async move {
            match action {
                Action::WaitReady => {
                    self.wait_ready(instance, inbox, Thoroughness::All).await?;
                }
                Action::Start | Action::Restart => {
                    self.act_in_ready_hook(instance, action).await?;
                    self.wait_ready(instance, inbox, Thoroughness::All).await?;
                }
                action => return self.act_in_ready_hook(instance, action).await,
            }
            Ok(Reply::Done)
        })
    }

    /// Runs an action for the user's readiness check. An action that waits until the service is ready fails, as it
    /// would wait for itself. A stop does not fail the launch.
    pub(super) async fn act_in_ready_hook(
        &self,
        instance: &Instance,
        action: Action,
    ) -> Result<Reply, Error> {
        let outcome = match action {
            Action::WaitReady => Err(waits_for_itself(instance)),
            Action::Stop { .. } | Action::Kill { signal: None } => {
                self.exits.disregard_latest();
                self.act_at_once(instance, action).await
            }
            Action::Start => self.start(instance).await,
            Action::Restart => {
                self.exits.disregard_latest();
                let stop = Action::Stop { patience: None };
                self.act_at_once(instance, stop).await?;
                self.start(instance).await
            }
            action => self.act_at_once(instance, action).await,
        };
        outcome.map(|()| Reply::Done)
    }
}

fn waits_for_itself(instance: &Instance) -> Error {
    let what = "a readiness check cannot wait until its own service is ready";
    instance.attach(Error::new(ErrorKind::Operation, what).with(|report| {
        report.help = Some(
            "check the service with `exec`, its ports or its log, and return an error while it is not ready"
                .to_owned(),
        );
    }))
}
