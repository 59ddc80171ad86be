//! Why a service is not ready.

use super::ended::how_it_ended;
use super::finding::Finding;
use super::target::Started;
use super::{listening, log};
use crate::readiness::{NotReady, NotReadyReason};
use crate::{Error, ErrorKind, terminal};

/// The error of a service that is not ready, with the log that the container wrote.
pub(in crate::supervisor) async fn not_ready(started: &Started<'_>, reason: NotReady) -> Error {
    let target = started.target;
    let after = terminal::duration(reason.after);
    let (log, no_log) = log::tail(target.engine, target.container).await;
    let waited_for = reason
        .waiting_for
        .iter()
        .map(|check| format!("waited for: {check}"));
    let mut details: Vec<String> = waited_for.collect();
    let mut exit_code = None;
    let (kind, what, help) = match reason.reason {
        NotReadyReason::Exited => {
            let end = how_it_ended(started, &log).await;
            details.splice(0..0, end.cause);
            exit_code = end.code;
            (ErrorKind::Exited, end.what, end.help)
        }
        NotReadyReason::TimedOut => (
            ErrorKind::NotReady,
            format!("the service was not ready within {after}"),
            Some(
                "check in its log what it waits for; if it is only slow, write `ready(.., timeout = \"2m\")`"
                    .to_owned(),
            ),
        ),
        NotReadyReason::FailedTooOften => (
            ErrorKind::NotReady,
            format!("a readiness check failed as often as `failures` allows, after {after}"),
            Some("check in its log why it is not ready, or raise `failures`".to_owned()),
        ),
        NotReadyReason::Impossible => {
            (ErrorKind::NotReady, "a readiness check can never hold".to_owned(), None)
        }
        NotReadyReason::Panicked => (
            ErrorKind::NotReady,
            format!("a readiness function panicked, after {after}"),
            Some(
                "fix the panic; return an error while the service is not ready, and the function is called again"
                    .to_owned(),
            ),
        ),
    };
    // A check that knows the cause knows better.
    let help = match reason.advice.as_slice() {
        [] => help,
        advice => Some(advice.join("\n")),
    };
    let finding = match kind {
        ErrorKind::NotReady => match obstacle(started).await {
            None => unserved_ports(started, &reason.unserved).await,
            obstacle => obstacle,
        },
        _ => None,
    };
    Error::new(kind, what).with(|report| {
        report.details = details;
        report.exit_code = exit_code;
        report.help = help;
        if let Some(finding) = finding {
            finding.attach(report);
        }
        report.details.extend(no_log);
        report.log = log;
    })
}

/// What a test has done to the container that keeps it from being ready, and how to undo it.
async fn obstacle(started: &Started<'_>) -> Option<Finding> {
    let target = started.target;
    let info = target.engine.inspect(target.container).await.ok()?;
    if info.paused {
        Some(Finding::new(
            "its container is paused: nothing in it runs",
            "call `unpause()` before waiting until it is ready",
        ))
    } else if info.running && !target.engine.has_address(&info, started.address).await {
        Some(Finding::new(
            "its container is disconnected from its network: nothing reaches it",
            "call `reconnect()` before waiting until it is ready",
        ))
    } else {
        None
    }
}

/// Where the service listens, or where it should if that is not known.
async fn unserved_ports(started: &Started<'_>, unserved: &[u16]) -> Option<Finding> {
    let target = started.target;
    let ports = target.service().ports.iter();
    let declared: Vec<u16> = ports.map(|port| port.number).collect();
    if declared.is_empty() {
        return None;
    }
    let listening = listening::ports(target.engine, target.container).await;
    let Some(listening) = listening else {
        return (!unserved.is_empty()).then(|| Finding {
            cause: "its container does not tell where it listens; it must listen on 0.0.0.0, not on 127.0.0.1 alone"
                .to_owned(),
            next_step: None,
        });
    };
    Some(Finding {
        cause: listening.describe(unserved),
        next_step: listening.help(&declared, unserved),
    })
}
