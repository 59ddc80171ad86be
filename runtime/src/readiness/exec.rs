//! Checks that run a command in the container: the user's, or the image's own `HEALTHCHECK`.
//!
//! The command of the health check runs from here, not by the engine. An engine runs it for the first time after its
//! interval, which is 30 seconds unless the image changes it. That is far too long for a container that is healthy
//! after one second.

use seatrial_model::secret::Redactor;

use super::outcome::Outcome;
use super::subject::Subject;
use crate::engine::{EngineError, EngineErrorKind, ExecResult, ExecSpec};
use crate::visible::quoted;

/// The check of one command.
#[derive(Debug)]
pub(crate) struct Command {
    kind: &'static str,
    command: Vec<String>,
}

impl Command {
    /// The check of a user's command.
    pub(super) fn exec(command: Vec<String>) -> Self {
        Self {
            kind: "exec",
            command,
        }
    }

    /// The check of the image's own health check.
    ///
    /// # Errors
    ///
    /// Returns a message if the image has no health check.
    pub(super) fn healthcheck(health: &[String]) -> Result<Self, String> {
        let command = match health {
            [form, command @ ..] if form == "CMD" && !command.is_empty() => command.to_vec(),
            [form, script] if form == "CMD-SHELL" => {
                vec!["/bin/sh".to_owned(), "-c".to_owned(), script.clone()]
            }
            _ => {
                return Err(
                    "the image has no HEALTHCHECK; write another kind of check, such as \
                            `ready(tcp)` or `ready(exec = \"..\")`"
                        .to_owned(),
                );
            }
        };
        Ok(Self {
            kind: "healthcheck",
            command,
        })
    }

    pub(super) fn describe(&self, subject: &Subject<'_>) -> String {
        let command = subject.quoted(&shown(&self.command));
        format!("{} `{command}`", self.kind)
    }

    pub(super) async fn attempt(&self, subject: &Subject<'_>) -> Outcome {
        let spec = ExecSpec {
            command: self.command.clone(),
            ..ExecSpec::default()
        };
        match subject.engine.exec(subject.container, &spec).await {
            Ok(result) => judge(&result, subject.redactor),
            Err(error) if error.kind == EngineErrorKind::CommandNotFound => {
                self.not_found(subject, &error).await
            }
            Err(error) => Outcome::NotYet(subject.engine_said(&error).into()),
        }
    }

    /// A command that is missing in the image stays missing. But an engine also reports a missing file while a
    /// container ends.
    async fn not_found(&self, subject: &Subject<'_>, error: &EngineError) -> Outcome {
        match subject.engine.inspect(subject.container).await {
            Ok(info) if info.running => {
                let executable = subject.quoted(self.command.first().map_or("", String::as_str));
                Outcome::Never(format!(
                    "the image has no command `{executable}`; write a command that it has, or check from outside \
                     with `ready(tcp)` or `ready(image = \"..\", run = \"..\")`"
                ))
            }
            _ => Outcome::NotYet(subject.engine_said(error).into()),
        }
    }
}

/// Exit code 0 is a success. Any other code is reported with the last line of the command's output.
pub(super) fn judge(result: &ExecResult, redactor: &Redactor) -> Outcome {
    if result.code == 0 {
        return Outcome::Holds;
    }
    let said = last_line(&result.stderr).or_else(|| last_line(&result.stdout));
    let said = match said {
        Some(said) => format!("exit code {}: {}", result.code, quoted(redactor, &said)),
        None => format!("exit code {}", result.code),
    };
    Outcome::NotYet(said.into())
}

/// The last line that is not blank.
fn last_line(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().to_owned())
}

/// A command for a message. The words are not escaped, as a secret in an escaped word would not be recognised.
pub(crate) fn shown(command: &[String]) -> String {
    if let [shell, flag, script] = command
        && shell == "/bin/sh"
        && flag == "-c"
    {
        return script.clone();
    }
    let words =
        command.iter().map(
            |word| match word.is_empty() || word.contains(char::is_whitespace) {
                true => format!("'{word}'"),
                false => word.clone(),
            },
        );
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn a_healthcheck_is_run_as_the_engine_would() {
        let command = |health: &[&str]| Command::healthcheck(&words(health)).map(|it| it.command);
        assert_eq!(
            command(&["CMD", "curl", "-f", "http://localhost/"]),
            Ok(words(&["curl", "-f", "http://localhost/"]))
        );
        assert_eq!(
            command(&["CMD-SHELL", "curl -f localhost || exit 1"]),
            Ok(words(&["/bin/sh", "-c", "curl -f localhost || exit 1"]))
        );
        for none in [&[][..], &["NONE"], &["CMD"]] {
            assert!(command(none).is_err(), "{none:?}");
        }
    }

    #[test]
    fn a_failure_is_reported_with_the_last_line() {
        let result = |code, stdout: &str, stderr: &str| ExecResult {
            code,
            stdout: stdout.as_bytes().to_vec(),
            stderr: stderr.as_bytes().to_vec(),
            ..ExecResult::default()
        };
        let judge = |result: &ExecResult| judge(result, &Redactor::default());
        let not_yet = |text: &str| Outcome::NotYet(text.to_owned().into());
        assert_eq!(judge(&result(0, "", "warning")), Outcome::Holds);
        assert_eq!(judge(&result(2, "", "")), not_yet("exit code 2"));
        assert_eq!(
            judge(&result(1, "a\nb\n\n", " \n")),
            not_yet("exit code 1: b")
        );
        assert_eq!(
            judge(&result(1, "out", "err\n")),
            not_yet("exit code 1: err")
        );
    }

    #[test]
    fn a_command_is_shown_with_its_words_as_they_are() {
        assert_eq!(shown(&words(&["a", "b c", ""])), "a 'b c' ''");
        let secret = "it's $\\\"ecret";
        assert!(shown(&words(&["login", secret])).contains(secret));
        assert_eq!(shown(&words(&["/bin/sh", "-c", "a && b"])), "a && b");
    }
}
