//! Runs what a readiness check needs beyond its container: another container, or the user's function.

use seatrial_model::ImageRef;

use super::one_shot::OneShot;
use super::running::Running;
use super::state::Instance;
use crate::engine::ExecResult;
use crate::protocol::{HookFailure, HookKind};
use crate::readiness::{ProbeRunner, Run};
use crate::supervisor::messages::PROCESS_ENDED;

/// Runs probes for one service.
pub(super) struct Prober<'a> {
    pub(super) instance: &'a Instance,
    pub(super) running: &'a Running,
}

impl ProbeRunner for Prober<'_> {
    fn run_probe<'a>(&'a self, image: &'a ImageRef, command: Vec<String>) -> Run<'a, ExecResult> {
        let Self { instance, running } = self;
        Box::pin(async move {
            let probe = OneShot::new("probe", image, command);
            let outcome = probe.run(instance, running).await;
            outcome.map_err(|error| error.redacted(&instance.redactor).to_string())
        })
    }

    fn watched(&self, report: Box<dyn Fn() -> Vec<String> + Send>) {
        self.instance.activity.set_checks(report);
    }

    fn run_hook(&self, binding: usize) -> Run<'_, (), HookFailure> {
        let Self { instance, running } = self;
        Box::pin(async move {
            let outcome = running.run_hook(instance, HookKind::Ready, binding).await;
            match outcome {
                Ok(outcome) => outcome.map_err(|failure| failure.quoted(&instance.redactor)),
                Err(_) => Err(HookFailure::Failed(PROCESS_ENDED.to_owned())),
            }
        })
    }
}
