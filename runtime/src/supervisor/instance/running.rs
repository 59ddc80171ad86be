//! A started container: what is known of it, and how it ends. It waits for nothing but its end, and changes nothing.

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

/// A container that was started, and what is needed to look after it.
pub(super) struct Running {
    pub(super) engine: Engine,
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
    pub(super) async fn end_in_words(&self, instance: &Instance) -> Option<String> {
        let ago = self.ended_ago().await?;
        let end = diagnosis::how_it_ended(&self.started(instance, true), &[]).await;
        Some(format!("{}, {} ago", end.what, terminal::duration(ago)))
    }

    /// Sees that it has not ended since it became ready.
    pub(super) async fn still_runs(&self, instance: &Instance) -> Result<(), Error> {
        let Some(ago) = self.ended_ago().await else {
            return Ok(());
        };
        let reason = NotReady {
            reason: NotReadyReason::Exited,
            waiting_for: Vec::new(),
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

    /// What the container had written before its latest start.
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
