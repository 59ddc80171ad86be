//! A started container: what is known of it, and how it ends. Must not wait for anything but its end, and must not
//! change anything.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::creation::Container;
use super::queries::Queries;
use super::state::Instance;
use crate::engine::{Engine, EngineError, ImageInfo};
use crate::protocol::{HookKind, ServiceInfo};
use crate::readiness::{NotReady, NotReadyReason, OutputPosition};
use crate::supervisor::diagnosis::{self, KILLED, Started};
use crate::supervisor::exits::Exits;
use crate::supervisor::messages::{Hook, HookOutcome, Internal, ProcessEnded};
use crate::{Error, terminal};

/// A started container, and what is needed to look after it.
pub(super) struct Running {
    pub(super) engine: Engine,
    pub(super) container: Container,
    pub(super) image: ImageInfo,
    pub(super) network: String,
    /// The container that is attached to the network: this one, or the one whose network namespace it has joined.
    pub(super) endpoint: String,
    pub(super) address: Ipv4Addr,
    /// Whether this process can reach `address`.
    pub(super) direct: bool,
    /// The length of its output before its latest start.
    pub(super) output_before: Mutex<OutputPosition>,
    pub(super) exits: Exits,
    pub(super) info: Arc<ServiceInfo>,
}

/// How soon an engine reports a container's end after the end of a command in it. The error of a command that was
/// killed for another reason is late by this time.
const END_FOLLOWS_WITHIN: Duration = Duration::from_secs(2);

impl Running {
    pub(super) fn id(&self) -> &str {
        &self.container.id
    }

    pub(super) async fn not_ready(
        &self,
        instance: &Instance,
        was_ready: bool,
        reason: NotReady,
    ) -> Error {
        let started = self.started(instance, was_ready);
        instance.attach(diagnosis::not_ready(&started, reason).await)
    }

    /// The container for a diagnosis.
    pub(super) fn started<'a>(&'a self, instance: &'a Instance, was_ready: bool) -> Started<'a> {
        Started {
            target: instance.target(&self.engine, self.id()),
            image: &self.image,
            address: self.address,
            exits: &self.exits,
            was_ready,
        }
    }

    /// How long ago the container ended. `None` if it runs.
    async fn ended_ago(&self) -> Option<Duration> {
        if let Some(ago) = self.exits.ended_ago() {
            return Some(ago);
        }
        // The engine may report the container's own end a little later.
        let info = self.engine.inspect(self.id()).await.ok()?;
        (!info.running).then_some(Duration::ZERO)
    }

    /// How the container ended, and how long ago. `None` if it runs.
    pub(super) async fn end_in_words(&self, instance: &Instance) -> Option<String> {
        let ago = self.ended_ago().await?;
        let end = diagnosis::how_it_ended(&self.started(instance, true), &[]).await;
        Some(format!("{}, {} ago", end.what, terminal::duration(ago)))
    }

    /// Checks that the container has not ended since it became ready.
    pub(super) async fn still_runs(&self, instance: &Instance) -> Result<(), Error> {
        if instance.service().job.is_some() {
            // It has ended as it should.
            return Ok(());
        }
        let Some(ago) = self.ended_ago().await else {
            return Ok(());
        };
        let reason = NotReady {
            reason: NotReadyReason::Exited,
            waiting_for: Vec::new(),
            advice: Vec::new(),
            unserved: Vec::new(),
            after: Duration::ZERO,
        };
        let error = self.not_ready(instance, true, reason).await;
        Err(error.with(|report| {
            report.details.push(format!(
                "it was ready, and ended {} before all services of the launch were",
                terminal::duration(ago)
            ));
        }))
    }

    /// Waits until the instance has a client, before the first of the client's functions is called. One that is brought up
    /// ahead goes no further by itself.
    ///
    /// # Errors
    ///
    /// Returns how the container has ended meanwhile.
    pub(super) async fn until_taken(&self, instance: &Instance) -> Result<(), Error> {
        if instance.taker.is_known() {
            return Ok(());
        }
        instance
            .activity
            .set_step("was waiting for a test that uses it");
        tokio::select! {
            biased;
            () = self.exits.ended() => self.still_runs(instance).await,
            _ = instance.taker.client() => Ok(()),
        }
    }

    /// Whether the container has ended, after a command in it ended with this exit code. Its commands end with it, and
    /// their end may be seen first.
    pub(super) async fn has_ended_by(&self, code: i64) -> bool {
        if code == KILLED {
            let _ = tokio::time::timeout(END_FOLLOWS_WITHIN, self.exits.ended()).await;
        }
        self.exits.latest().is_some()
    }

    /// The exit code of a container that ended, if it is known.
    pub(super) async fn exit_code(&self) -> Option<i64> {
        let info = self.engine.inspect(self.id()).await.ok();
        diagnosis::exit_code(info.as_ref(), self.exits.latest().as_ref())
    }

    /// Calls the user's function number `binding` with the service, and returns the outcome.
    pub(super) async fn run_hook(
        &self,
        instance: &Instance,
        kind: HookKind,
        binding: usize,
    ) -> HookOutcome {
        let (outcome, ended) = oneshot::channel();
        let hook = Hook {
            client: instance.taker.client().await,
            kind,
            identity: instance.launch.identity.clone(),
            binding,
            service: Box::new(self.info.as_ref().clone()),
            outcome,
        };
        let _ = instance.context.run.internal.send(Internal::Hook(hook));
        ended.await.unwrap_or(Err(ProcessEnded))
    }

    /// The length of the container's output before its latest start.
    pub(super) fn position(&self) -> MutexGuard<'_, OutputPosition> {
        let position = self.output_before.lock();
        position.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn queries(&self, instance: &Instance) -> Queries {
        Queries {
            engine: self.engine.clone(),
            container: self.id().to_owned(),
            error_context: instance.error_context(),
            exit: self.exits.latest_exit(),
        }
    }

    pub(super) fn refused(&self, instance: &Instance, error: &EngineError) -> Error {
        instance.error_context().refused(error)
    }
}
