//! What an instance serves while it waits for its container. Queries are always served. Until the service is ready, so are requests of
//! the user's own functions, which must not wait for themselves. Until the container has ended, so are signals; if a function ends it,
//! those of functions. Everything else changes the state of the container, and is deferred until its turn.

use std::convert::Infallible;
use std::pin::pin;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::oneshot;

use super::checks::Thoroughness;
use super::inbox::Inbox;
use super::orders::{Command, Order};
use super::running::Running;
use super::state::Instance;
use crate::protocol::{Action, Caller, HookKind, Reply};
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
            let is_due = order.is_due(kind);
            let outcome = match order {
                Order::CopyIn {
                    to, is_file, tar, ..
                } if is_due => self.copy_in(instance, &to, is_file, tar).await,
                Order::ActInHook(HookKind::Ready, action) => {
                    self.act_in_ready_hook(instance, action, inbox).await
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

    /// Ends the container for a handle, and waits until it has ended.
    pub(super) async fn end_meanwhile(
        &self,
        instance: &Instance,
        action: Action,
        inbox: &mut Inbox,
    ) -> Result<(), Error> {
        let ending = self.end(instance, action);
        self.serve_until_ended(instance, ending, Caller::Handle, inbox)
            .await
    }

    /// Ends the container for a function of the user that the instance waits for. It does not fail the launch.
    async fn end_in_hook(
        &self,
        instance: &Instance,
        action: Action,
        inbox: &mut Inbox,
    ) -> Result<(), Error> {
        self.exits.disregard_latest();
        let ending = self.act_at_once(instance, action);
        // Readiness functions and setups may do the same here.
        let caller = Caller::Hook(HookKind::Ready);
        self.serve_until_ended(instance, ending, caller, inbox)
            .await
    }

    /// Waits until the container has ended, which may take as long as the caller allows. So queries and signals are served meanwhile.
    /// Everything else is deferred.
    async fn serve_until_ended(
        &self,
        instance: &Instance,
        ending: impl Future<Output = Result<(), Error>>,
        caller: Caller,
        inbox: &mut Inbox,
    ) -> Result<(), Error> {
        let queries = self.queries(instance);
        let mut ending = pin!(ending);
        let mut signals = FuturesUnordered::new();
        let mut ended = None;
        loop {
            while let Some(Command { order, answer }) = inbox.next_signal(caller) {
                signals.push(self.signal(instance, order, answer, caller));
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

    /// Sends a signal to the process of a container that `ended_by` ends. Waits for the end if that is what the signal is for, unless
    /// the end is disregarded.
    async fn signal(
        &self,
        instance: &Instance,
        order: Order,
        answer: oneshot::Sender<Result<Reply, Error>>,
        ended_by: Caller,
    ) {
        let (Order::Act(action) | Order::ActInHook(_, action)) = order else {
            unreachable!("it is a signal");
        };
        let outcome = match action {
            Action::Kill { signal: None } if ended_by == Caller::Handle => {
                self.end(instance, action).await
            }
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
    ) -> BoxFuture<'a, Result<Reply, Error>> {
        // Boxed, as it serves the same inbox while it waits.
        Box::pin(async move {
            match action {
                Action::WaitReady => {
                    self.wait_ready(instance, inbox, Thoroughness::All).await?;
                }
                Action::Start | Action::Restart => {
                    self.act_in_ready_hook(instance, action, inbox).await?;
                    self.wait_ready(instance, inbox, Thoroughness::All).await?;
                }
                action => return self.act_in_ready_hook(instance, action, inbox).await,
            }
            Ok(Reply::Done)
        })
    }

    /// Runs an action for the user's readiness check. An action that waits until the service is ready fails, as it
    /// would wait for itself. A stop does not fail the launch.
    pub(super) fn act_in_ready_hook<'a>(
        &'a self,
        instance: &'a Instance,
        action: Action,
        inbox: &'a mut Inbox,
    ) -> BoxFuture<'a, Result<Reply, Error>> {
        // Boxed, as what an instance does otherwise holds it on the stack several times over.
        Box::pin(async move {
            let outcome = match action {
                Action::WaitReady => Err(waits_for_itself(instance)),
                Action::Stop { .. } | Action::Kill { signal: None } => {
                    self.end_in_hook(instance, action, inbox).await
                }
                Action::Start => self.start(instance).await,
                Action::Restart => {
                    let stop = Action::Stop { grace_period: None };
                    self.end_in_hook(instance, stop, inbox).await?;
                    self.start(instance).await
                }
                action => self.act_at_once(instance, action).await,
            };
            outcome.map(|()| Reply::Done)
        })
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
