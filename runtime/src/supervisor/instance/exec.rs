//! A test's command in a service's container, and the next step if the engine rejects it.

use seatrial_model::secret::Redactor;

use crate::Error;
use crate::engine::{Engine, EngineError, EngineErrorKind, ExecSpec, OutputUse, Parts};
use crate::protocol::{ExecCall, Reply};
use crate::supervisor::error_context::ErrorContext;

/// A command and its standard input.
pub(in crate::supervisor) struct Exec {
    pub(in crate::supervisor) call: ExecCall,
    pub(in crate::supervisor) input: Option<Parts<Vec<u8>>>,
}

impl Exec {
    /// Runs the command to its end.
    pub(super) async fn run(
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
        Ok(Reply::Exec(result.into_answer()))
    }
}

/// The next step if the engine rejects a command because of its options or the container's state. The messages are the
/// same in all known engines.
fn help(error: &EngineError, spec: &ExecSpec) -> Option<String> {
    let said = error.message.to_lowercase();
    if let Some(user) = &spec.user
        && (said.contains("unable to find user") || said.contains("unable to find group"))
    {
        return Some(format!(
            "check `user(\"{user}\")`: the container has no such user or group; numeric ids need not exist, such as \
             `user(\"1000:1000\")`"
        ));
    }
    if let Some(workdir) = &spec.workdir
        && said.contains("chdir to")
    {
        return Some(format!(
            "check `workdir(\"{workdir}\")`: the directory must exist in the container, and the command's user must have access"
        ));
    }
    let help = match error.kind {
        EngineErrorKind::Conflict if said.contains("is not running") => {
            "call `start()` before you run a command; `status()` tells how the container ended"
        }
        EngineErrorKind::Conflict if said.contains("is paused") => {
            "call `unpause()` before you run a command"
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
                Some("check `user(\"nobody-2\")`"),
            ),
            (
                EngineErrorKind::NotFound,
                "chdir to cwd (\"/none\") set in config.json failed: no such file or directory",
                Some("check `workdir(\"/none\")`"),
            ),
            // The message of Podman with crun.
            (
                EngineErrorKind::CommandNotFound,
                "crun: chdir to `/none`: No such file or directory: OCI runtime attempted to invoke a command that was not found",
                Some("check `workdir(\"/none\")`"),
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
