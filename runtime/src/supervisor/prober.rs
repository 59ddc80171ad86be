//! What a readiness check needs beyond the container it looks at: another container, or the user's function.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use seatrial_model::{ImageRef, Pull};
use tokio::sync::oneshot;

use super::identity::LABEL;
use super::instance::Instance;
use super::running::Running;
use super::{Hook, Internal, PROCESS_ENDED};
use crate::engine::{ContainerSpec, ExecResult};
use crate::readiness::{ProbeRunner, Run};

/// Runs probes for one service.
pub(super) struct Prober<'a> {
    pub(super) instance: &'a Instance,
    pub(super) running: &'a Running,
}

impl ProbeRunner for Prober<'_> {
    fn run_probe<'a>(&'a self, image: &'a ImageRef, command: Vec<String>) -> Run<'a, ExecResult> {
        Box::pin(self.probe(image, command))
    }

    fn run_hook(&self, binding: usize) -> Run<'_, ()> {
        Box::pin(async move {
            let (outcome, ended) = oneshot::channel();
            let hook = Hook {
                client: self.instance.client,
                identity: self.instance.launch.identity.clone(),
                binding,
                service: Box::new(self.running.info.as_ref().clone()),
                outcome,
            };
            let internal = &self.instance.context.run.internal;
            let _ = internal.send(Internal::Hook(hook));
            ended
                .await
                .unwrap_or_else(|_| Err(PROCESS_ENDED.to_owned()))
        })
    }
}

impl Prober<'_> {
    async fn probe(&self, image: &ImageRef, command: Vec<String>) -> Result<ExecResult, String> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let Self { instance, running } = self;
        let context = &instance.context;
        let engine = &running.engine;
        let image = context
            .images
            .get(engine, image, Pull::Missing, None)
            .await
            .map_err(|error| error.to_string())?;
        let service = instance.service();
        let name = format!(
            "seatrial-{}-{}-{}-probe-{}",
            context.run.identity.token,
            instance.id,
            service.name,
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let mut labels: BTreeMap<String, String> = context.run.identity.labels();
        labels.insert(
            format!("{LABEL}.composition"),
            instance.launch.plan.name.clone(),
        );
        labels.insert(
            format!("{LABEL}.service"),
            format!("{}-probe", service.name),
        );
        let mut command = command.into_iter();
        let guard = context.run.reaper.guard(engine, name.clone());
        let failed = |error: crate::engine::EngineError| error.to_string();
        let id = guard
            .create(ContainerSpec {
                name,
                image: image.id,
                entrypoint: command.next().map(|executable| vec![executable]),
                command: Some(command.collect()),
                labels,
                // Where it sees what the service sees, under the same names. An engine that counts the containers of a
                // network has none to count for it.
                joins: Some(running.container.id.clone()),
                ..ContainerSpec::default()
            })
            .await
            .map_err(failed)?;
        guard.start(&id).await.map_err(failed)?;
        let code = engine.wait(&id).await.map_err(failed)?;
        let mut result = ExecResult {
            code,
            ..ExecResult::default()
        };
        let mut output = engine.logs(&id, false, None);
        while let Some(piece) = output.next().await {
            let piece = piece.map_err(failed)?;
            let stream = if piece.stderr {
                &mut result.stderr
            } else {
                &mut result.stdout
            };
            stream.extend(piece.bytes);
        }
        Ok(result)
    }
}
