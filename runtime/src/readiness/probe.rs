//! Checks from outside the container: a probe container, or an async function of the user.
//!
//! The [`ProbeRunner`](super::subject::ProbeRunner) decides where these run, and removes what they leave.

use seatrial_model::ImageRef;

use super::exec::{judge, shown};
use super::outcome::Outcome;
use super::subject::Subject;
use crate::protocol::HookFailure;

/// The check by a container of another image.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(super) image: ImageRef,
    pub(super) command: Vec<String>,
}

impl Probe {
    pub(super) fn describe(&self, subject: &Subject<'_>) -> String {
        let command = subject.quoted(&shown(&self.command));
        format!("probe `{command}` in {}", self.image)
    }

    pub(super) async fn attempt(&self, subject: &Subject<'_>) -> Outcome {
        let run = subject
            .probes
            .run_probe(&self.image, self.command.clone())
            .await;
        match run {
            Ok(result) => judge(&result, subject.redactor),
            Err(reason) => Outcome::NotYet(reason.into()),
        }
    }
}

/// The check by a function of the user.
#[derive(Debug)]
pub(crate) struct Hook {
    pub(super) binding: usize,
    pub(super) name: String,
}

impl Hook {
    pub(super) fn describe(&self) -> String {
        format!("`{}`", self.name)
    }

    pub(super) async fn attempt(&self, subject: &Subject<'_>) -> Outcome {
        match subject.probes.run_hook(self.binding).await {
            Ok(()) => Outcome::Holds,
            Err(HookFailure::Failed(reason)) => Outcome::NotYet(reason.into()),
            // A panic does not mean "not ready yet": the function would return an error for that.
            Err(HookFailure::Panicked(reason)) => Outcome::Panicked(reason),
        }
    }
}
