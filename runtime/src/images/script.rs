//! A fallback script: a program that writes a root file system as a tar to its standard output.
//!
//! An image must not be made from an incomplete output. So the stream ends only when the program has exited with 0. Otherwise the
//! stream ends with an error, and the engine makes no image.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use tokio::sync::{mpsc, oneshot};

use super::program::{self, Group};
use crate::engine::{EngineError, EngineErrorKind, Parts};
use crate::output::Lines;
use crate::visible::harmless;

/// How many bytes are read and passed on at once.
const CHUNK: usize = 1 << 16;
/// How many lines of standard error an error contains.
const LAST_LINES: usize = 10;
/// How long a script may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A running script.
pub(super) struct Script {
    /// The output of the script. Dropping it before its end ends the script.
    pub(super) output: Parts<Vec<u8>>,
    /// Why the script failed, if it did. Sent before the output ends.
    pub(super) failure: oneshot::Receiver<String>,
}

/// Watches a script while it runs.
pub(super) trait Watch: Send + Sync + 'static {
    /// Takes a line of its standard error.
    fn line(&self, line: &str);
    /// Takes the number of further bytes of its standard output.
    fn bytes(&self, more: u64);
}

/// Starts the script.
///
/// # Errors
///
/// The script cannot be started.
pub(super) fn start(
    executable: &Path,
    directory: &Path,
    watch: Arc<impl Watch>,
) -> Result<Script, String> {
    let mut command = Command::new(executable);
    command
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let (parts, output) = mpsc::channel(2);
    let (failed, failure) = oneshot::channel();
    let (started, start) = std::sync::mpsc::channel();
    let (over, ended) = std::sync::mpsc::channel();
    // The program is killed when the thread that started it ends, so the same thread waits for it.
    spawn(move || {
        let (child, group) = match program::start(&mut command) {
            Ok(child) => child,
            Err(error) => {
                let _ = started.send(Err(format!("cannot start the script: {error}")));
                return;
            }
        };
        let _ = started.send(Ok(Arc::clone(&group)));
        if let Some(Err(reason)) = run(child, &group, &parts, watch) {
            // The receivers are dropped together.
            let _ = failed.send(reason.clone());
            let _ = parts.blocking_send(Err(EngineError {
                kind: EngineErrorKind::Failed,
                attempt: "read the root file system".to_owned(),
                message: reason,
            }));
        }
        drop(over);
    });
    let group = start
        .recv()
        .unwrap_or_else(|_| Err("cannot start the script".to_owned()))?;
    let end = EndOnDrop {
        group,
        ended: Some(ended),
    };
    let output = stream::unfold((output, end), |(mut output, end)| async move {
        let part = output.recv().await?;
        Some((part, (output, end)))
    });
    Ok(Script {
        output: Box::pin(output),
        failure,
    })
}

/// Passes the output of the script on until it has ended. `None` if the receiver is gone; the script is being ended then.
fn run(
    mut child: Child,
    group: &Group,
    parts: &mpsc::Sender<Result<Vec<u8>, EngineError>>,
    watch: Arc<impl Watch>,
) -> Option<Result<(), String>> {
    let stdout = child.stdout.take().expect("standard output is a pipe");
    let stderr = child.stderr.take().expect("standard error is a pipe");
    let (last, lines) = std::sync::mpsc::channel();
    let on_line = Arc::clone(&watch);
    spawn(move || {
        let _ = last.send(follow(stderr, &*on_line));
    });
    let read = pass_on(stdout, parts, &*watch);
    let status = group.wait(&mut child);
    match read {
        Ok(size) => {
            // A child that has left the group may still hold standard error open.
            let last = lines.recv_timeout(GRACE).unwrap_or_default();
            let status = status.map_err(|error| format!("cannot wait for the script: {error}"));
            Some(status.and_then(|status| judge(status, last, size)))
        }
        Err(Passing::Unwanted) => None,
        Err(Passing::Unreadable(error)) => Some(Err(format!("cannot read its output: {error}"))),
    }
}

fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::Builder::new()
        .name("seatrial-script".to_owned())
        .spawn(work)
        .expect("the system starts a thread")
}

enum Passing {
    /// Nobody reads the output any more.
    Unwanted,
    Unreadable(io::Error),
}

/// Passes the output on and returns its size.
fn pass_on(
    mut from: impl Read,
    to: &mpsc::Sender<Result<Vec<u8>, EngineError>>,
    watch: &impl Watch,
) -> Result<u64, Passing> {
    let mut size = 0;
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Passing::Unreadable(error)),
        };
        size += read as u64;
        watch.bytes(read as u64);
        to.blocking_send(Ok(buffer[..read].to_vec()))
            .map_err(|_| Passing::Unwanted)?;
    }
}

/// Reports each line, and returns the last ones.
fn follow(mut from: impl Read, watch: &impl Watch) -> Vec<String> {
    let mut last = VecDeque::new();
    let mut line = |text: String| {
        let text = &*harmless(text.trim_end());
        watch.line(text);
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(text.to_owned());
    };
    let mut lines = Lines::default();
    let mut buffer = vec![0; CHUNK];
    loop {
        match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
            Ok(read) => lines.take(&buffer[..read], &mut line),
        }
    }
    lines.finish(&mut line);
    last.into()
}

/// Returns an error with the last lines of standard error if the script failed or wrote nothing.
fn judge(status: ExitStatus, last: Vec<String>, size: u64) -> Result<(), String> {
    let mut reason = match (status.success(), size) {
        (true, 1..) => return Ok(()),
        (true, 0) => "wrote nothing to its standard output".to_owned(),
        // "exit status: 3" or "signal: 15 (SIGTERM)"
        (false, _) => format!("ended with {status}"),
    };
    for line in last {
        reason.push('\n');
        reason.push_str(&line);
    }
    Err(reason)
}

/// Ends the script and its children when dropped, unless the script has ended.
struct EndOnDrop {
    group: Arc<Group>,
    /// Closes when the script has ended.
    ended: Option<std::sync::mpsc::Receiver<()>>,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
        let ended = self.ended.take().expect("it is dropped once");
        if ended.try_recv() == Err(TryRecvError::Disconnected) {
            return;
        }
        self.group.signal(libc::SIGTERM);
        let group = Arc::clone(&self.group);
        // Another thread waits for a script that is slow to end, and kills it.
        spawn(move || {
            if ended.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
                group.signal(libc::SIGKILL);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use futures_util::StreamExt as _;

    use super::*;
    use crate::images::program::tests::until_gone;

    struct Nobody;

    impl Watch for Nobody {
        fn line(&self, _: &str) {}

        fn bytes(&self, _: u64) {}
    }

    /// A script, run in a directory that goes with it.
    struct Run {
        directory: PathBuf,
        script: Script,
    }

    impl Run {
        fn new(name: &str, text: &str) -> Self {
            let name = format!("seatrial-script-{}-{name}", std::process::id());
            let directory = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&directory).expect("a directory");
            let executable = directory.join("script");
            std::fs::write(&executable, format!("#!/bin/sh\n{text}\n")).expect("a file");
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&executable, mode).expect("it is ours");
            let script = start(&executable, &directory, Arc::new(Nobody)).expect("it starts");
            Self { directory, script }
        }

        /// What it wrote until it ended, and why it failed.
        async fn end(mut self) -> (Vec<u8>, Option<String>) {
            let mut written = Vec::new();
            while let Some(part) = self.script.output.next().await {
                written.extend(part.unwrap_or_default());
            }
            let failure = self.script.failure.try_recv().ok();
            std::fs::remove_dir_all(&self.directory).expect("it is ours");
            (written, failure)
        }

        /// Gives it up, and waits until nothing of it runs any more.
        async fn give_up(mut self) {
            let part = self.script.output.next().await.expect("it has begun");
            assert_eq!(part, Ok(b"begun\n".to_vec()));
            drop(self.script);
            until_gone(&self.directory.join("child"));
            until_gone(&self.directory.join("own"));
            std::fs::remove_dir_all(&self.directory).expect("it is ours");
        }
    }

    #[tokio::test]
    async fn what_a_script_leaves_running_is_ended_and_keeps_nobody_waiting() {
        let run = Run::new("leaves", "sleep 1000 >&- & echo $! > child; echo done");
        let Run { directory, script } = run;
        let written: Vec<_> = script.output.collect().await;
        assert_eq!(written, [Ok(b"done\n".to_vec())]);
        until_gone(&directory.join("child"));
        std::fs::remove_dir_all(&directory).expect("it is ours");
    }

    #[tokio::test]
    async fn a_script_that_does_not_care_for_signals_is_killed() {
        let text = "trap '' TERM; sleep 1000 & echo $! > child; echo $$ > own; echo begun; wait; sleep 1000";
        Run::new("stubborn", text).give_up().await;
    }

    #[tokio::test]
    async fn a_script_that_closes_its_output_and_goes_on_can_be_given_up() {
        let text =
            "sleep 1000 >&- 2>&- & echo $! > child; echo $$ > own; echo begun; exec >&- 2>&-; wait";
        Run::new("closed", text).give_up().await;
    }

    #[tokio::test]
    async fn a_script_that_fails_is_told_with_its_last_words() {
        let run = Run::new(
            "fails",
            "echo part; printf '\\033[1;31mw\\033[0mhy\\n' >&2; exit 3",
        );
        let (written, failure) = run.end().await;
        assert_eq!(written, b"part\n");
        assert_eq!(failure.as_deref(), Some("ended with exit status: 3\nwhy"));
    }
}
