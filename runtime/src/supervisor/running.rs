//! A started container: waiting until it is ready, doing what is asked of it, and knowing when it ends.

use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::diagnosis::{self, KILLED, Started};
use super::exits::Exits;
use super::instance::{Container, Instance};
use super::links::Links;
use super::messages::{Hook, HookOutcome, Internal, ProcessEnded};
use super::orders::{Command, Order};
use super::prober::Prober;
use super::queries::{Inbox, Queries};
use crate::engine::{Attachment, Engine, EngineError, ImageInfo, Parts};
use crate::protocol::{Action, HookKind, Reply, ServiceInfo};
use crate::readiness::{
    self, Check, NotReady, NotReadyReason, OutputPosition, PreparedTiming, Subject,
};
use crate::{Error, ErrorKind, terminal};

/// A container that was started, and what is needed to look after it.
pub(super) struct Running {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) container: Container,
    pub(super) image: ImageInfo,
    pub(super) network: String,
    pub(super) address: Ipv4Addr,
    /// Whether `address` is reachable from this process.
    pub(super) direct: bool,
    /// What it had written before its latest start.
    pub(super) output_before: Mutex<OutputPosition>,
    pub(super) exits: Exits,
    pub(super) info: Arc<ServiceInfo>,
}

/// How soon an engine tells of a container's end after it has told of the end of a command in it. Who kills a command
/// otherwise is told this much later.
const END_FOLLOWS_WITHIN: Duration = Duration::from_secs(2);

/// How much is asked of a service to count as ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thoroughness {
    /// All its checks.
    All,
    /// What takes milliseconds: for a service that was ready before, and whose container is followed.
    Again,
}

impl Running {
    pub(super) fn id(&self) -> &str {
        &self.container.id
    }

    /// Waits until it is ready, and says why where it does not become so.
    pub(super) async fn wait_ready(
        &self,
        instance: &Instance,
        inbox: &mut Inbox,
        thoroughness: Thoroughness,
    ) -> Result<(), Error> {
        let service = instance.service();
        let prober = Prober {
            instance,
            running: self,
        };
        let subject = Subject {
            engine: &self.engine,
            container: self.id(),
            address: self.address,
            direct: self.direct,
            published: &self.container.ports,
            output_before: *self.position(),
            probes: &prober,
            redactor: &instance.redactor,
        };
        let checks = Check::all_of(service, &self.image.healthcheck, |template| {
            super::spec::render(&instance.launch, instance.index, template)
        });
        let default = instance.context.config().timeouts.ready;
        let timing = PreparedTiming::new(&service.timing, default);
        let ready = async {
            let ended = self.exits.ended();
            match thoroughness {
                Thoroughness::All => readiness::wait(&subject, checks, &timing, ended).await,
                Thoroughness::Again => {
                    readiness::wait_again(&subject, checks, &timing, ended).await
                }
            }
        };
        let outcome = tokio::select! {
            outcome = ready => outcome,
            never = inbox.serve_meanwhile(self, instance, HookKind::Ready) => match never {},
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(reason) => {
                let was_ready = thoroughness == Thoroughness::Again;
                Err(self.not_ready(instance, was_ready, reason).await)
            }
        }
    }

    async fn not_ready(&self, instance: &Instance, was_ready: bool, reason: NotReady) -> Error {
        let started = self.started(instance, was_ready);
        instance.attach(diagnosis::not_ready(&started, reason).await)
    }

    /// The container, for whoever looks for a cause.
    fn started<'a>(&'a self, instance: &'a Instance, was_ready: bool) -> Started<'a> {
        Started {
            target: instance.target(&self.engine, self.id()),
            address: self.address,
            exits: &self.exits,
            was_ready,
        }
    }

    /// How long ago the container has ended; nothing where it runs.
    async fn ended_ago(&self) -> Option<Duration> {
        if let Some(ago) = self.exits.ended_ago() {
            return Some(ago);
        }
        // Of its end itself the engine may tell a little later.
        let info = self.engine.inspect(self.id()).await.ok()?;
        (!info.running).then_some(Duration::ZERO)
    }

    /// How the container has ended, and how long ago; nothing where it runs.
    async fn end_in_words(&self, instance: &Instance) -> Option<String> {
        let ago = self.ended_ago().await?;
        let end = diagnosis::how_it_ended(&self.started(instance, true), &[]).await;
        Some(format!("{}, {} ago", end.what, terminal::duration(ago)))
    }

    /// Sees that it has not ended since it became ready.
    async fn still_runs(&self, instance: &Instance) -> Result<(), Error> {
        let Some(ago) = self.ended_ago().await else {
            return Ok(());
        };
        let reason = NotReady {
            reason: NotReadyReason::Exited,
            waiting_for: Vec::new(),
            unserved: Vec::new(),
            after: Duration::ZERO,
            attempts: 0,
        };
        let error = self.not_ready(instance, true, reason).await;
        Err(error.with(|report| {
            report.details.push(format!(
                "it was ready, and ended {} before all services of the launch were",
                terminal::duration(ago)
            ));
        }))
    }

    /// Whether the container has ended, by the time that a command in it was seen to end with this code. It takes its commands
    /// with it, which may be seen before its own end is.
    pub(super) async fn has_ended_by(&self, code: i64) -> bool {
        if code == KILLED {
            let _ = tokio::time::timeout(END_FOLLOWS_WITHIN, self.exits.ended()).await;
        }
        self.exits.latest().is_some()
    }

    /// The exit code of a container that ended, where anybody knows it.
    pub(super) async fn exit_code(&self) -> Option<i64> {
        let info = self.engine.inspect(self.id()).await.ok();
        diagnosis::exit_code(info.as_ref(), self.exits.latest().as_ref())
    }

    /// Does what is asked, and answers. What only looks goes on by itself; what changes the state comes one by one.
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
                let _ = answer.send(self.act_in_ready_hook(instance, action).await);
                return;
            }
            Order::CopyIn { to, tar, .. } => {
                tokio::select! {
                    outcome = self.copy_in(instance, &to, tar) => {
                        let _ = answer.send(outcome);
                    }
                    // The files may come slowly.
                    never = inbox.serve_meanwhile(self, instance, HookKind::Ready) => match never {},
                    () = answer.closed() => {}
                }
                return;
            }
            Order::CopyOut { .. } => unreachable!("it is served elsewhere"),
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
            Action::Stop { .. } => self.end(instance, action, "stopped").await,
            Action::Kill { signal: None } => self.end(instance, action, "killed").await,
            Action::Start => {
                self.start(instance).await?;
                self.wait_started(instance, inbox).await
            }
            Action::Restart => {
                let stop = Action::Stop { patience: None };
                self.end(instance, stop, "stopped").await?;
                self.start(instance).await?;
                self.wait_started(instance, inbox).await
            }
            action => self.act_at_once(instance, action).await,
        }
    }

    /// Has the user's function number `binding` called with the service, and says what came of it.
    pub(super) async fn run_hook(
        &self,
        instance: &Instance,
        kind: HookKind,
        binding: usize,
    ) -> HookOutcome {
        let (outcome, ended) = oneshot::channel();
        let hook = Hook {
            client: instance.client,
            kind,
            identity: instance.launch.identity.clone(),
            binding,
            service: Box::new(self.info.as_ref().clone()),
            outcome,
        };
        let _ = instance.context.run.internal.send(Internal::Hook(hook));
        ended.await.unwrap_or(Err(ProcessEnded))
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

    /// Does what needs no waiting for the service.
    async fn act_at_once(&self, instance: &Instance, action: Action) -> Result<(), Error> {
        let (engine, id) = (&self.engine, self.id());
        let guard = &self.container.guard;
        let outcome = match action {
            Action::Stop { patience } => guard.stop(id, patience).await,
            Action::Kill { signal } => guard.kill(id, signal).await,
            Action::Pause => engine.pause(id).await,
            Action::Unpause => engine.unpause(id).await,
            Action::Disconnect => guard.disconnect(id, &self.network).await,
            Action::Reconnect => {
                let attachment = Attachment {
                    network: self.network.clone(),
                    address: self.address,
                };
                guard.connect(id, attachment).await
            }
            Action::Start
            | Action::Restart
            | Action::WaitReady
            | Action::Ended
            | Action::Logs { .. }
            | Action::Exec { .. }
            | Action::CopyIn { .. }
            | Action::CopyOut { .. }
            | Action::Follow { .. } => unreachable!("it is served elsewhere"),
        };
        outcome.map_err(|error| self.refused(instance, &error))
    }

    /// Unpacks files in the container as they come, all at a path or below.
    pub(super) async fn copy_in(
        &self,
        instance: &Instance,
        to: &str,
        tar: Parts<Vec<u8>>,
    ) -> Result<Reply, Error> {
        let links = Links {
            engine: &*self.engine,
            container: self.id(),
            // It may have made others.
            image: None,
        };
        let checked = links.check(to, &self.info.mounted).await;
        checked.map_err(|error| instance.attach(error))?;
        let copied = self.engine.upload(self.id(), "/", tar).await;
        copied
            .map(|()| Reply::Done)
            .map_err(|error| self.refused(instance, &error))
    }

    /// Does what ends the container, and waits until it has ended.
    async fn end(&self, instance: &Instance, action: Action, event: &str) -> Result<(), Error> {
        self.act_at_once(instance, action).await?;
        self.exits.ended().await;
        instance.record(event, &[]);
        Ok(())
    }

    /// Starts the container, unless it runs: then it writes nothing anew that a check could wait for.
    async fn start(&self, instance: &Instance) -> Result<(), Error> {
        let refused = |error: EngineError| self.refused(instance, &error);
        let info = self.engine.inspect(self.id()).await.map_err(refused)?;
        // The engine refuses to start one that is paused.
        if info.running && !info.paused {
            return Ok(());
        }
        let before = OutputPosition::now(&*self.engine, self.id()).await;
        let before = before.map_err(refused)?;
        self.container.start().await.map_err(refused)?;
        *self.position() = before;
        self.exits.started(&self.engine, self.id());
        instance.starts.send_replace(());
        instance.record("started", &[]);
        Ok(())
    }

    async fn wait_started(&self, instance: &Instance, inbox: &mut Inbox) -> Result<(), Error> {
        self.wait_ready(instance, inbox, Thoroughness::All).await?;
        instance.record("ready", &[]);
        Ok(())
    }

    /// What the container had written before its latest start.
    fn position(&self) -> MutexGuard<'_, OutputPosition> {
        let position = self.output_before.lock();
        position.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn queries(&self, instance: &Instance) -> Queries {
        Queries {
            engine: self.engine.clone(),
            container: self.id().to_owned(),
            error_context: instance.error_context(),
        }
    }

    pub(super) fn refused(&self, instance: &Instance, error: &EngineError) -> Error {
        instance.error_context().refused(error)
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
