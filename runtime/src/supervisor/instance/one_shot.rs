//! A container that runs beside a service to its end: a readiness probe or a setup.
//!
//! It joins the service's network namespace, so it sees what the service sees, under the same names. An engine that
//! counts the containers of a network does not count it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use seatrial_model::secret::Redactor;
use seatrial_model::{ImageRef, Pull};

use super::running::Running;
use super::state::Instance;
use crate::engine::{Collected, ContainerSpec, EngineError, ExecResult, MountSpec, OutputUse};
use crate::images::ImageError;
use crate::supervisor::identity::LABEL;

/// A command to run in a container of its own.
pub(super) struct OneShot<'a> {
    /// The purpose, for the container's name.
    pub(super) purpose: &'static str,
    pub(super) image: &'a ImageRef,
    pub(super) command: Vec<String>,
    /// `NAME=value`.
    pub(super) env: Vec<String>,
    pub(super) mounts: Vec<MountSpec>,
    pub(super) user: Option<String>,
    pub(super) workdir: Option<String>,
}

/// Why it did not run to its end.
pub(super) enum OneShotError {
    Image(ImageError),
    Engine(EngineError),
}

impl From<EngineError> for OneShotError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl OneShotError {
    /// Without the secrets in texts from outside.
    pub(super) fn redacted(self, redactor: &Redactor) -> Self {
        match self {
            Self::Image(error) => Self::Image(error.redacted(redactor)),
            Self::Engine(error) => Self::Engine(error.redacted(redactor)),
        }
    }
}

impl fmt::Display for OneShotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl<'a> OneShot<'a> {
    /// A command in an image, and nothing else.
    pub(super) fn new(purpose: &'static str, image: &'a ImageRef, command: Vec<String>) -> Self {
        Self {
            purpose,
            image,
            command,
            env: Vec::new(),
            mounts: Vec::new(),
            user: None,
            workdir: None,
        }
    }

    /// Runs it beside a service. Dropping the future removes the container.
    pub(super) async fn run(
        self,
        instance: &Instance,
        running: &Running,
    ) -> Result<ExecResult, OneShotError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let context = &instance.context;
        let engine = &running.engine;
        let image = context
            .images
            .get(engine, self.image, Pull::Missing, None)
            .await
            .map_err(OneShotError::Image)?;
        let (service, purpose) = (instance.service(), self.purpose);
        let name = format!(
            "{}-{}-{}-{purpose}-{}",
            context.run.identity.prefix,
            instance.id,
            service.name,
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let mut labels: BTreeMap<String, String> = context.run.identity.labels();
        labels.insert(format!("{LABEL}.composition"), instance.composition());
        let label = format!("{}-{purpose}", service.name);
        labels.insert(format!("{LABEL}.service"), label);
        let mut command = self.command.into_iter();
        let guard = context.run.reaper.guard(engine, name.clone());
        let id = guard
            .create(ContainerSpec {
                name,
                image: image.id,
                entrypoint: command.next().map(|executable| vec![executable]),
                command: Some(command.collect()),
                env: self.env,
                mounts: self.mounts,
                user: self.user,
                workdir: self.workdir,
                labels,
                joins: Some(running.container.id.clone()),
                ..ContainerSpec::default()
            })
            .await?;
        guard.start(&id).await?;
        let code = engine.wait(&id).await?;
        let mut collected = Collected::new(OutputUse::Report);
        let mut output = engine.logs(&id, false, None);
        while let Some(piece) = output.next().await {
            collected.push(&piece?);
        }
        Ok(collected.ended(code))
    }
}
