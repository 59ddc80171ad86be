//! A credential helper: a program that reads the name of a server from its standard input, and writes credentials.
//!
//! It may ask its user, a keychain or a cloud, so it may hang; then it is killed. Its output must never be shown where it could be
//! the secret itself.

use std::io::{self, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde::Deserialize;

use super::program::{self, Group};
use crate::engine::Credentials;

/// How long a helper may take. A user can unlock a keychain in this time.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// The longest answer that is read, in bytes. An answer has a few lines.
const LARGEST_ANSWER: u64 = 1 << 20;

/// The user name of an answer whose secret is a token instead of a password.
const TOKEN: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// How a helper ended.
#[derive(Debug, Default)]
struct Outcome {
    succeeded: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// The credentials that the helper `program` has for a server, if any. Blocks.
///
/// # Errors
///
/// The helper fails. The message says why, and what to do.
pub(super) fn get(
    program: &str,
    server: &str,
    timeout: Duration,
) -> Result<Option<Credentials>, String> {
    let mut command = Command::new(program);
    command
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let cannot_run = |error: &io::Error| {
        format!(
            "cannot run the credential helper `{program}` ({error}); install it, or remove it from the file"
        )
    };
    let (child, group) = program::start(&mut command).map_err(|error| cannot_run(&error))?;
    let (outcome, ended) = mpsc::channel();
    let (in_thread, asked) = (Arc::clone(&group), server.to_owned());
    spawn(move || {
        // Sending fails if the helper was given up; then nobody needs the outcome.
        let _ = outcome.send(ask(child, &in_thread, &asked));
    });
    match ended.recv_timeout(timeout) {
        Ok(Ok(outcome)) => judge(program, &outcome),
        Ok(Err(error)) => Err(cannot_run(&error)),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            group.signal(libc::SIGKILL);
            Err(format!(
                "the credential helper `{program}` has not answered within {timeout:?} and was ended; see what it waits for \
                 with `echo {server} | {program} get`, or remove it from the file"
            ))
        }
    }
}

/// Sends the server's name to the helper, and reads its answer.
fn ask(mut child: Child, group: &Group, server: &str) -> io::Result<Outcome> {
    let stderr = child.stderr.take().expect("standard error is a pipe");
    let stdout = child.stdout.take().expect("standard output is a pipe");
    let said = spawn(move || read(stderr));
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // A helper may end without reading its input; its exit code then says why.
    let _ = stdin.write_all(server.as_bytes());
    drop(stdin);
    let stdout = read(stdout);
    let status = group.wait(&mut child)?;
    Ok(Outcome {
        succeeded: status.success(),
        stdout,
        stderr: said.join().unwrap_or_default(),
    })
}

/// Everything that can be read.
fn read(from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = from.take(LARGEST_ANSWER).read_to_end(&mut bytes);
    bytes
}

fn judge(program: &str, outcome: &Outcome) -> Result<Option<Credentials>, String> {
    if outcome.succeeded {
        let Ok(Answer { username, secret }) = serde_json::from_slice(&outcome.stdout) else {
            return Err(format!(
                "invalid answer of the credential helper `{program}`: expected credentials; check it with \
                 `{program} list`, or remove it from the file"
            ));
        };
        return Ok(Some(match username.as_str() {
            TOKEN => Credentials::Token(secret),
            _ => Credentials::Password {
                user: username,
                password: secret,
            },
        }));
    }
    let texts = [&outcome.stderr, &outcome.stdout].map(|bytes| String::from_utf8_lossy(bytes));
    // The helpers' protocol defines this message, on standard output.
    if texts[1].contains("credentials not found") {
        return Ok(None);
    }
    // A helper may print a credential before it fails. Its messages are one line, and not JSON.
    let said = texts
        .iter()
        .filter_map(|text| text.lines().map(str::trim).find(|line| !line.is_empty()))
        .find(|line| !line.contains(['{', '"']));
    Err(match said {
        Some(said) => format!("the credential helper `{program}` failed: {said}"),
        None => format!("the credential helper `{program}` failed"),
    })
}

fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::Builder::new()
        .name("seatrial-images".to_owned())
        .spawn(work)
        .expect("the system starts a thread")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;
    use crate::images::program::tests::until_gone;

    /// Far longer than any of these takes; only what hangs is not waited for.
    const LONG: Duration = Duration::from_secs(60);

    /// A helper that is this script, in a directory that goes with it.
    struct Helper(PathBuf);

    impl Helper {
        fn new(name: &str, script: &str) -> Self {
            let name = format!("seatrial-helper-{}-{name}", std::process::id());
            let directory = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&directory).expect("a directory");
            let helper = Self(directory);
            let text = format!("#!/bin/sh\ncd {}\n{script}\n", helper.0.display());
            std::fs::write(helper.path("new"), text).expect("a file");
            let executable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(helper.path("new"), executable).expect("it is ours");
            helper
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        fn get(&self, timeout: Duration) -> Result<Option<Credentials>, String> {
            let program = self.path("new").display().to_string();
            let found = get(&program, "registry.example", timeout);
            found.map_err(|reason| reason.replace(&program, "HELPER"))
        }
    }

    impl Drop for Helper {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_helper_is_told_the_server_and_answers() {
        let helper = Helper::new(
            "answers",
            r#"read server; echo "{\"Username\":\"$1\",\"Secret\":\"of $server\"}""#,
        );
        let password = Credentials::Password {
            user: "get".to_owned(),
            password: "of registry.example".to_owned(),
        };
        assert_eq!(helper.get(LONG), Ok(Some(password)));
        let token = Helper::new("token", r#"echo '{"Username":"<token>","Secret":"t"}'"#);
        assert_eq!(
            token.get(LONG),
            Ok(Some(Credentials::Token("t".to_owned())))
        );
    }

    #[test]
    fn a_failure_is_told_and_no_secret_in_it() {
        for (name, script, said) in [
            (
                "none",
                "echo 'credentials not found in native keychain'; exit 1",
                Ok(None),
            ),
            (
                "locked",
                "echo >&2; echo 'the keychain is locked' >&2; exit 1",
                Err("the credential helper `HELPER` failed: the keychain is locked"),
            ),
            (
                "secret",
                r#"echo '{"Secret":"hush"}'; exit 1"#,
                Err("the credential helper `HELPER` failed"),
            ),
            (
                "words",
                "echo hush",
                Err(
                    "invalid answer of the credential helper `HELPER`: expected credentials; check it with \
                     `HELPER list`, or remove it from the file",
                ),
            ),
        ] {
            let found = Helper::new(name, script).get(LONG);
            assert_eq!(found, said.map_err(str::to_owned), "{name}");
        }
    }

    #[test]
    fn a_helper_that_hangs_is_ended_with_what_it_started() {
        for (name, script) in [
            (
                "hangs",
                "sleep 1000 & echo $! > child; echo $$ > own; trap '' TERM; wait",
            ),
            // Its output stays open, or it does not, but it goes on.
            ("ends", "sleep 1000 & echo $! > child; echo $$ > own"),
            (
                "silent",
                "sleep 1000 >&- 2>&- & echo $! > child; echo $$ > own; exec >&- 2>&-; wait",
            ),
        ] {
            let helper = Helper::new(name, script);
            let timeout = Duration::from_secs(3);
            let error = helper.get(timeout).expect_err("it hangs");
            assert_eq!(
                error,
                "the credential helper `HELPER` has not answered within 3s and was ended; see what it waits for with \
                 `echo registry.example | HELPER get`, or remove it from the file",
                "{name}"
            );
            until_gone(&helper.path("child"));
            until_gone(&helper.path("own"));
        }
    }
}
