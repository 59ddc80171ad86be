//! A command that a test runs in a service's container: beside everything else, for it changes no state of the container.

use seatrial_model::secret::Redactor;
use tokio::sync::oneshot;

use crate::engine::{Engine, EngineError, EngineErrorKind, ExecSpec, OutputUse, Parts};
use crate::protocol::{ExecCall, ExecOutput, Reply};
use crate::supervisor::error_context::ErrorContext;
use crate::{Error, output};

/// A command, and what it reads.
pub(in crate::supervisor) struct Exec {
    pub(in crate::supervisor) call: ExecCall,
    pub(in crate::supervisor) input: Option<Parts<Vec<u8>>>,
}

impl Exec {
    /// Runs it in the background, and answers. Where nobody waits for the answer any more, it is let go of.
    pub(super) fn serve(
        self,
        engine: Engine,
        container: String,
        error_context: ErrorContext,
        mut answer: oneshot::Sender<Result<Reply, Error>>,
    ) {
        tokio::spawn(async move {
            tokio::select! {
                outcome = self.run(&engine, &container, &error_context) => drop(answer.send(outcome)),
                () = answer.closed() => {}
            }
        });
    }

    async fn run(
        self,
        engine: &Engine,
        container: &str,
        error_context: &ErrorContext,
    ) -> Result<Reply, Error> {
        let ExecCall {
            command,
            env,
            user,
            workdir,
            ..
        } = self.call;
        let variables = env.iter();
        let secrets = Redactor::new(variables.map(|(name, value)| (&**name, &**value)));
        let spec = ExecSpec {
            output: OutputUse::Answer,
            command,
            env: env
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
            user,
            workdir,
        };
        let ended = match self.input {
            None => engine.exec(container, &spec).await,
            Some(input) => engine.exec_with_input(container, &spec, input).await,
        };
        let result = ended.map_err(|error| {
            let help = help(&error, &spec);
            let refused = error_context.refused(&error.redacted(&secrets));
            refused.with(|report| report.help = help.or(report.help.take()))
        })?;
        Ok(Reply::Exec(ExecOutput {
            code: result.code,
            stdout: output::text(result.stdout, result.stdout_dropped),
            stderr: output::text(result.stderr, result.stderr_dropped),
            truncated: result.stdout_dropped + result.stderr_dropped,
        }))
    }
}

/// What to do where the engine does not run a command for what was asked for beside it, or for the container's state. These
/// words are the same in every engine that was seen.
fn help(error: &EngineError, spec: &ExecSpec) -> Option<String> {
    let said = error.message.to_lowercase();
    if let Some(user) = &spec.user
        && (said.contains("unable to find user") || said.contains("unable to find group"))
    {
        return Some(format!(
            "look at `user(\"{user}\")`: the container has no such user or group; a number needs none, such as \
             `user(\"1000:1000\")`"
        ));
    }
    if let Some(workdir) = &spec.workdir
        && said.contains("chdir to")
    {
        return Some(format!(
            "look at `workdir(\"{workdir}\")`: name a directory that is in the container and that the command's user may enter"
        ));
    }
    let help = match error.kind {
        EngineErrorKind::Conflict if said.contains("is not running") => {
            "call `start()` before a command is run; how the container has ended, `status()` tells"
        }
        EngineErrorKind::Conflict if said.contains("is paused") => {
            "call `unpause()` before a command is run"
        }
        _ => return None,
    };
    Some(help.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_what_was_asked_for_beside_the_command() {
        let spec = ExecSpec {
            user: Some("nobody-2".to_owned()),
            workdir: Some("/none".to_owned()),
            ..ExecSpec::default()
        };
        for (kind, said, expected) in [
            (
                EngineErrorKind::Failed,
                "unable to find user nobody-2: no matching entries in passwd file",
                Some("look at `user(\"nobody-2\")`"),
            ),
            (
                EngineErrorKind::NotFound,
                "chdir to cwd (\"/none\") set in config.json failed: no such file or directory",
                Some("look at `workdir(\"/none\")`"),
            ),
            // Podman, with crun.
            (
                EngineErrorKind::CommandNotFound,
                "crun: chdir to `/none`: No such file or directory: OCI runtime attempted to invoke a command that was not found",
                Some("look at `workdir(\"/none\")`"),
            ),
            (
                EngineErrorKind::Conflict,
                "Container 7 is not running",
                Some("call `start()`"),
            ),
            (
                EngineErrorKind::Conflict,
                "Container 7 is paused, unpause the container before exec",
                Some("call `unpause()`"),
            ),
            (EngineErrorKind::Failed, "no idea", None),
        ] {
            let error = EngineError {
                kind,
                attempt: "run `id` in the container".to_owned(),
                message: said.to_owned(),
            };
            let help = help(&error, &spec);
            match expected {
                None => assert_eq!(help, None, "{said}"),
                Some(begin) => assert!(help.is_some_and(|help| help.starts_with(begin)), "{said}"),
            }
        }
    }
}
