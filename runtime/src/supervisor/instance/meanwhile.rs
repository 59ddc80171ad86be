//! What an instance serves while its container is waited for: queries, and what the user's own functions ask for, which must not
//! wait for themselves. Everything else is put off until its turn.

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
    /// Waits until it is ready, and serves meanwhile what must not wait for that.
    ///
    /// # Errors
    ///
    /// Why it is not ready.
    pub(super) async fn wait_ready(
        &self,
        instance: &Instance,
        inbox: &mut Inbox,
        thoroughness: Thoroughness,
    ) -> Result<(), Error> {
        let meanwhile = self.serve_meanwhile(instance, inbox, HookKind::Ready);
        self.check(instance, thoroughness, meanwhile).await
    }

    /// Serves what must not wait until the service can be handed over, as long as it is polled: what only looks, and what a
    /// function of the user's of this kind asks for. The rest is put off.
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

    /// Does what the user's setup asks for: everything, and a stop is no end that fails the launch.
    pub(super) fn act_in_setup<'a>(
        &'a self,
        instance: &'a Instance,
        action: Action,
        inbox: &'a mut Inbox,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>> {
        // Boxed, because while it waits it serves the same inbox.
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

    /// Does what the user's readiness check asks for. What waits until the service is ready does not wait, or it would
    /// wait for itself; and a stop is no end that fails the launch.
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
            "look at the service with `exec`, its ports or its log, and return an error while it is not ready"
                .to_owned(),
        );
    }))
}
