//! What an instance serves while it waits for its container. Queries are always served. Until the service is ready, so are requests of
//! the user's own functions, which must not wait for themselves; until the container has ended, so are signals. Everything else
//! changes the state of the container, and is deferred until its turn.

use std::convert::Infallible;
use std::pin::{Pin, pin};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::oneshot;

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

    /// Ends the container and waits until it has ended, which may take as long as the caller allows. So queries and signals are
    /// served meanwhile. Everything else is deferred.
    pub(super) async fn end_meanwhile(
        &self,
        instance: &Instance,
        action: Action,
        inbox: &mut Inbox,
    ) -> Result<(), Error> {
        let queries = self.queries(instance);
        let mut ending = pin!(self.end(instance, action));
        let mut signals = FuturesUnordered::new();
        let mut ended = None;
        loop {
            while let Some(Command { order, answer }) = inbox.next_signal() {
                signals.push(self.signal(instance, order, answer));
            }
            // A signal that is under way is not dropped without an answer.
            if signals.is_empty()
                && let Some(outcome) = ended
            {
                return outcome;
            }
            tokio::select! {
                outcome = &mut ending, if ended.is_none() => ended = Some(outcome),
                Some(()) = signals.next() => {}
                Some(command) = inbox.next_new() => {
                    if let Some(command) = queries.serve(command) {
                        inbox.put_off(command);
                    }
                }
                else => return Ok(()),
            }
        }
    }

    /// Sends the container's process a signal; waits for its end where that is what the signal is for.
    async fn signal(
        &self,
        instance: &Instance,
        order: Order,
        answer: oneshot::Sender<Result<Reply, Error>>,
    ) {
        let (Order::Act(action) | Order::ActInHook(_, action)) = order else {
            unreachable!("it is a signal");
        };
        let outcome = match action {
            Action::Kill { signal: None } => self.end(instance, action).await,
            action => self.act_at_once(instance, action).await,
        };
        let _ = answer.send(outcome.map(|()| Reply::Done));
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
