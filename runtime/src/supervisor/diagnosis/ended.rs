//! How a container ended.

use seatrial_model::Origin;

use super::engine::engine_error;
use super::executing::{self, Symptom};
use super::finding::Finding;
use super::target::Started;
use crate::engine::{ContainerInfo, EngineErrorKind};
use crate::supervisor::exits::Exit;
use crate::visible::quoted;
use crate::{ErrorKind, terminal};

/// The exit code of a process that `SIGKILL` ended: 128 and the signal's number.
pub(in crate::supervisor) const KILLED: i64 = 137;

/// How a container ended.
pub(in crate::supervisor) struct End {
    /// The exit code, if known.
    pub(super) code: Option<i64>,
    pub(in crate::supervisor) what: String,
    /// The cause, if more than the exit code is known.
    pub(super) cause: Option<String>,
    /// The next step.
    pub(super) help: Option<String>,
}

impl End {
    fn new(code: Option<i64>, what: String, help: Option<String>) -> Self {
        Self {
            code,
            what,
            cause: None,
            help,
        }
    }
}

/// How a container ended, and the next step. `log` is the end of its log.
pub(in crate::supervisor) async fn how_it_ended(started: &Started<'_>, log: &[String]) -> End {
    let target = started.target;
    let exit = started.exits.latest();
    if let Some(Exit::Unknown(error)) = &exit {
        let error = error.redacted(target.redactor);
        let what = match error.kind {
            EngineErrorKind::Unreachable => "the engine went away",
            _ => "the engine lost the container",
        };
        let reported = engine_error(ErrorKind::Engine, &error);
        let help = reported.report().help.clone();
        return End::new(None, format!("{what}: {error}"), help);
    }
    let info = target.engine.inspect(target.container).await.ok();
    let code = exit_code(info.as_ref(), started.exits.latest().as_ref());
    let limit = target.service().memory;
    if info.is_some_and(|info| info.out_of_memory) {
        let limit = match limit {
            Some(limit) => format!("its limit of {}", terminal::bytes(limit)),
            None => "the machine has".to_owned(),
        };
        return End::new(
            code,
            format!("the container was killed: it used more memory than {limit}"),
            Some("raise `memory = ..`, or reduce the memory that the service uses".to_owned()),
        );
    }
    if let (Some(KILLED), Some(limit)) = (code, limit) {
        let limit = terminal::bytes(limit);
        return End::new(
            code,
            format!(
                "the container was killed (code {KILLED}), as the kernel does if a container uses more memory than its limit, here {limit}"
            ),
            Some("raise `memory = ..`, or reduce the memory that the service uses".to_owned()),
        );
    }
    let code_text = code.map_or("unknown code".to_owned(), |code| format!("code {code}"));
    let when = match started.was_ready {
        false => " before the service was ready",
        true => "",
    };
    let what = format!("the container exited with {code_text}{when}");
    match executing::finding(target, Symptom::Log(log, code)).await {
        Some(Finding { cause, next_step }) => End {
            code,
            what,
            cause: Some(cause),
            help: next_step,
        },
        None => End::new(code, what, exit_help(started, code, log)),
    }
}

/// The exit code of a container, if the engine knows it or has reported it.
pub(in crate::supervisor) fn exit_code(
    info: Option<&ContainerInfo>,
    exit: Option<&Exit>,
) -> Option<i64> {
    let followed = match exit {
        Some(Exit::Code(code)) => Some(*code),
        _ => None,
    };
    info.and_then(|info| info.exit_code).or(followed)
}

/// The next step for a container that ended, if only its exit code is known.
fn exit_help(started: &Started<'_>, code: Option<i64>, log: &[String]) -> Option<String> {
    let help = if matches!(code, Some(126 | 127)) {
        "check `command` and `entrypoint`: their executable is not in the image, or is not executable"
    } else if !log.is_empty() {
        return None;
    } else if let (Some(0), Some(command)) = (code, images_command(started)) {
        return Some(format!(
            "write `command = \"..\"` with a program that stays in the foreground; the image's own command is `{command}`, which ended"
        ));
    } else {
        "run the image by hand to see why it ends; a service must keep running in the foreground"
    };
    Some(help.to_owned())
}

/// The image's own command, if that is what the container ran.
fn images_command(started: &Started<'_>) -> Option<String> {
    let target = started.target;
    let service = target.service();
    let is_images = matches!(service.origin, Origin::Image(_))
        && service.command.is_none()
        && service.entrypoint.is_none()
        && !started.image.command.is_empty();
    is_images.then(|| quoted(target.redactor, &started.image.command.join(" ")))
}
