//! Why an engine does not create or start a container.

use seatrial_model::ServicePlan;
use seatrial_model::secret::Redactor;

use super::engine::engine_error;
use super::executing::{self, Symptom};
use super::log;
use super::target::Target;
use crate::engine::EngineError;
use crate::{Error, ErrorKind};

/// The error of an engine that rejected a call for a service's container.
pub(in crate::supervisor) fn refused(
    service: &ServicePlan,
    error: &EngineError,
    redactor: &Redactor,
) -> Error {
    let advice = advice(service, &error.message);
    engine_error(ErrorKind::Start, &error.redacted(redactor)).with(|report| {
        report.help = advice.map(str::to_owned).or(report.help.take());
    })
}

/// The error of an engine that did not start a container, with the log that the container wrote.
pub(in crate::supervisor) async fn start_failed(target: Target<'_>, error: &EngineError) -> Error {
    let (log, _) = log::tail(target.engine, target.container).await;
    let finding = executing::finding(target, Symptom::Refusal(&error.message)).await;
    refused(target.service(), error, target.redactor).with(|report| {
        report.log = log;
        if let Some(finding) = finding {
            finding.attach(report);
        }
    })
}

/// What Docker says of an image without a command, and Podman.
const NO_COMMAND: [&str; 2] = ["o command specified", "no command or entrypoint provided"];

/// The next step if an engine rejects the value of a key. The messages are the same in all known engines.
fn advice(service: &ServicePlan, refusal: &str) -> Option<&'static str> {
    let rights = service.privileged || !service.cap_add.is_empty();
    if refusal.contains("unable to find user") || refusal.contains("unable to find group") {
        Some(
            "check `user = ..`: the image has no such user or group; numeric ids need not exist, such as `user = \"1000:1000\"`",
        )
    } else if NO_COMMAND.iter().any(|says| refusal.contains(says)) {
        Some("write `command = \"..\"`: the image has no command of its own")
    } else if refusal.contains("apability") && !service.cap_add.is_empty() {
        Some(
            "check `cap_add(..)`: the kernel has no such capability, or this engine may not grant it",
        )
    } else if refusal.contains("operation not permitted") && rights {
        Some(
            "this engine may not grant all that `privileged` or `cap_add` request; request with `cap_add(\"..\")` only \
             what the service uses, or use an engine that runs with more rights",
        )
    } else {
        None
    }
}
