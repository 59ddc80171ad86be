//! One run of cargo: what it says is shown, and its messages have the path of the binary.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use super::said::Said;
use crate::cargo::{Wanted, environment};
use crate::images::{Group, start_program};
use crate::output::Lines;
use crate::{Error, ErrorKind};

/// How long the outputs may stay open when cargo has ended: a program that it has started may have them.
const GRACE: Duration = Duration::from_secs(5);

/// Builds a binary. If the future is dropped, cargo is ended with all that it has started.
///
/// # Errors
///
/// Cargo cannot be started, or cannot build it.
pub(super) async fn build(wanted: Wanted) -> Result<PathBuf, Error> {
    let (started, start) = oneshot::channel();
    let (ended, end) = oneshot::channel();
    // The program is killed when the thread that started it ends, so the same thread waits for it.
    spawn(move || {
        // If the receiver is gone, nobody wants the outcome.
        let _ = ended.send(run(&wanted, started));
    })?;
    let _guard = start.await.ok();
    end.await.expect("the thread does not panic")
}

/// Ends the group of cargo when it is dropped. A group that has ended is left alone.
struct EndOnDrop(Arc<Group>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.signal(libc::SIGKILL);
    }
}

fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<std::thread::JoinHandle<T>, Error> {
    let thread = std::thread::Builder::new().name("seatrial-cargo".to_owned());
    thread.spawn(work).map_err(|error| {
        let what = format!("cannot start a thread: {error}");
        Error::new(ErrorKind::Operation, what)
    })
}

/// Runs cargo until it has ended. Blocks.
fn run(wanted: &Wanted, started: oneshot::Sender<EndOnDrop>) -> Result<PathBuf, Error> {
    let (mut child, group) = match start_program(&mut command(wanted)) {
        Ok(started) => started,
        Err(error) => return without_cargo(wanted, &error),
    };
    // If the build is not wanted any more, the value is dropped here or in the channel.
    let _ = started.send(EndOnDrop(group.clone()));
    let stdout = child.stdout.take().expect("standard output is a pipe");
    let stderr = child.stderr.take().expect("standard error is a pipe");
    let path = executable(stdout, wanted.name.clone())?;
    let said = follow(stderr, wanted.name.clone())?;
    let status = group.wait(&mut child);
    let said = said.recv_timeout(GRACE).unwrap_or_default();
    match status {
        Ok(status) if status.success() => match path.recv_timeout(GRACE) {
            Ok(Some(path)) => {
                said.done();
                Ok(path)
            }
            _ => Err(nothing_built(wanted)),
        },
        Ok(status) => Err(failed(wanted, status, &said)),
        Err(error) => Err(Error::new(
            ErrorKind::Build,
            format!("cannot build {wanted}: cannot wait for cargo: {error}"),
        )),
    }
}

fn command(wanted: &Wanted) -> Command {
    let target_directory = wanted.layout.as_ref().map(|it| &*it.target_directory);
    let mut command = Command::new(wanted.program());
    command
        .args(wanted.arguments())
        .args(["--message-format", "json-render-diagnostics"])
        .args(["--color", "never"])
        // Cargo reads the configuration of its directory and of those above.
        .current_dir(&wanted.workspace)
        .env_clear()
        .envs(environment(std::env::vars_os(), target_directory))
        .env("CARGO_TERM_PROGRESS_WHEN", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Reads cargo's messages, and sends the path of the binary at their end, if they have one.
fn executable(stdout: ChildStdout, name: String) -> Result<Receiver<Option<PathBuf>>, Error> {
    let (found, path) = mpsc::channel();
    spawn(move || {
        let lines = BufReader::new(stdout).split(b'\n');
        let paths = lines
            .map_while(Result::ok)
            .filter_map(|line| path_in(&line, &name));
        let _ = found.send(paths.last());
    })?;
    Ok(path)
}

/// The path of the binary of this name, if the message is about its build.
fn path_in(message: &[u8], name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_slice(message).ok()?;
    let target = &message["target"];
    let mut kinds = target["kind"].as_array()?.iter();
    let is_it = message["reason"] == "compiler-artifact"
        && target["name"] == name
        && kinds.any(|kind| kind == "bin");
    message["executable"]
        .as_str()
        .filter(|_| is_it)
        .map(PathBuf::from)
}

/// Shows what cargo says, and sends all of it at the end.
fn follow(mut stderr: ChildStderr, name: String) -> Result<Receiver<Said>, Error> {
    let (ended, end) = mpsc::channel();
    spawn(move || {
        let mut said = Said::of(name);
        let mut lines = Lines::default();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match stderr.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => break,
                Ok(read) => lines.take(&buffer[..read], |line| said.line(&line)),
            }
        }
        lines.finish(|line| said.line(&line));
        let _ = ended.send(said);
    })?;
    Ok(end)
}

/// What is used where cargo cannot be started: the binary that was built beside the tests.
fn without_cargo(wanted: &Wanted, error: &io::Error) -> Result<PathBuf, Error> {
    let beside = wanted.layout.as_ref();
    let beside = beside.map(|layout| layout.binary(&wanted.name));
    if let Some(beside) = beside.as_ref().filter(|path| path.is_file()) {
        return Ok(beside.clone());
    }
    let program = wanted.program();
    let what = format!(
        "cannot build {wanted}: cannot start `{}`: {error}",
        program.display()
    );
    Err(Error::new(ErrorKind::Build, what).with(|report| {
        if let Some(beside) = beside {
            let detail = format!("nor is the binary at `{}`", beside.display());
            report.details.push(detail);
        }
        report.help = Some(format!(
            "have cargo in `PATH`, or build the binary where the tests are built: `{}`",
            wanted.by_hand()
        ));
    }))
}

fn failed(wanted: &Wanted, status: ExitStatus, said: &Said) -> Error {
    let what = format!("cannot build {wanted}: cargo ended with {status}");
    Error::new(ErrorKind::Build, what).with(|report| {
        report.details = said.lines();
        report.help = Some(by_hand(wanted));
    })
}

fn nothing_built(wanted: &Wanted) -> Error {
    let what = format!("cannot build {wanted}: cargo does not say where it is");
    Error::new(ErrorKind::Build, what).with(|report| report.help = Some(by_hand(wanted)))
}

fn by_hand(wanted: &Wanted) -> String {
    format!("`{}` does the same by hand", wanted.by_hand())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_that_of_the_binary_alone() {
        let message = |reason: &str, name: &str, kind: &str| {
            serde_json::json!({
                "reason": reason,
                "target": { "name": name, "kind": [kind] },
                "executable": "/target/debug/server",
            })
            .to_string()
        };
        let path = |text: String| path_in(text.as_bytes(), "server");
        let found = path(message("compiler-artifact", "server", "bin"));
        assert_eq!(found, Some("/target/debug/server".into()));
        for other in [
            message("compiler-artifact", "server", "test"),
            message("compiler-artifact", "other", "bin"),
            message("build-script-executed", "server", "bin"),
            "not a message".to_owned(),
        ] {
            assert_eq!(path(other.clone()), None, "{other}");
        }
    }

    #[test]
    fn without_cargo_what_is_beside_the_tests_is_used() {
        let target = std::env::temp_dir().join(format!("seatrial-cargo-{}", std::process::id()));
        let beside = target.join("debug/server");
        let wanted = Wanted {
            workspace: "/".into(),
            package: "server".to_owned(),
            name: "server".to_owned(),
            layout: Some(crate::cargo::Layout {
                target_directory: target.clone(),
                target: None,
                profile: "debug".to_owned(),
            }),
            cargo: Some("/nowhere/cargo".into()),
        };
        let built = || run(&wanted, oneshot::channel().0);
        let error = built().expect_err("there is neither").to_string();
        let at = format!("nor is the binary at `{}`", beside.display());
        for part in ["cannot start `/nowhere/cargo`", &at, "have cargo in `PATH`"] {
            assert!(error.contains(part), "{error}");
        }
        std::fs::create_dir_all(target.join("debug")).expect("a directory");
        std::fs::write(&beside, "").expect("a file");
        assert_eq!(built(), Ok(beside));
        std::fs::remove_dir_all(target).expect("it is ours");
    }
}
