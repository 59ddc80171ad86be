//! How a container ended.

use seatrial_model::{Origin, ServicePlan};

use super::engine::engine_error;
use super::executing::{self, Symptom};
use super::finding::Finding;
use super::target::Started;
use crate::engine::{ContainerInfo, EngineErrorKind, ImageInfo};
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
        None => {
            let own = own_command(target.service(), started.image);
            let own = own.map(|own| quoted(target.redactor, &own));
            let help = match target.service().job {
                Some(_) => job_help(code, log),
                None => exit_help(code, log, own.as_deref()),
            };
            End::new(code, what, help)
        }
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

/// The next step for a container that ended, if only its exit code is known. `own` is the image's own command, if that is what ended.
fn exit_help(code: Option<i64>, log: &[String], own: Option<&str>) -> Option<String> {
    let help = if matches!(code, Some(126 | 127)) {
        "check `command` and `entrypoint`: their executable is not in the image, or is not executable"
    } else if !log.is_empty() {
        return None;
    } else if let (Some(0), Some(own)) = (code, own) {
        return Some(format!(
            "write `command = \"..\"` with a program that stays in the foreground; the image's own command is `{own}`, which ended"
        ));
    } else {
        "run the image by hand to see why it ends; a service must keep running in the foreground"
    };
    Some(help.to_owned())
}

/// The same for a job.
fn job_help(code: Option<i64>, log: &[String]) -> Option<String> {
    let help = if matches!(code, Some(126 | 127)) {
        "check `run` and `entrypoint`: an executable that they name is not in the image, or is not executable"
    } else if log.is_empty() {
        "run the image by hand to see why it fails"
    } else {
        return None;
    };
    Some(help.to_owned())
}

/// The image's own command, if that is what the service runs.
fn own_command(service: &ServicePlan, image: &ImageInfo) -> Option<String> {
    let is_own = matches!(service.origin, Origin::Image(_) | Origin::Build(_))
        && service.command.is_none()
        && service.entrypoint.is_none()
        && !image.command.is_empty();
    is_own.then(|| image.command.join(" "))
}

#[cfg(test)]
mod tests {
    use seatrial_model::Template;

    use super::*;

    #[test]
    fn an_images_own_command_that_ends_without_a_word_is_named() {
        let origin = Origin::Image("debian:bookworm-slim".parse().expect("an image"));
        let mut service = ServicePlan::new("db", origin);
        let mut image = ImageInfo::default();
        assert_eq!(own_command(&service, &image), None);
        image.command = ["sh", "-l"].map(str::to_owned).to_vec();
        let own = own_command(&service, &image);
        assert_eq!(own.as_deref(), Some("sh -l"));
        service.command = Some(vec![Template::literal("true")]);
        assert_eq!(own_command(&service, &image), None);

        let help = |code, log: &[String]| exit_help(Some(code), log, own.as_deref());
        let named = help(0, &[]).expect("a next step");
        for part in ["write `command = \"..\"`", "own command is `sh -l`"] {
            assert!(named.contains(part), "{named}");
        }
        assert!(help(1, &[]).is_some_and(|help| help.contains("by hand")));
        assert_eq!(help(0, &["bye".to_owned()]), None);
    }
}
