//! A fallback script: a program that writes a root file system as a tar to its standard output.
//!
//! An image must not be made of half an output. So the stream ends only once the program has exited with 0; where it
//! does not, the stream ends with an error, and the engine makes nothing of it.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use futures_util::stream;
use tokio::sync::{mpsc, oneshot};

use crate::engine::{EngineError, EngineErrorKind, Parts};

/// How much is read and passed on at once.
const CHUNK: usize = 1 << 16;
/// How many lines of standard error an error tells.
const LAST_LINES: usize = 10;

/// A script that runs.
pub(super) struct Script {
    /// What it writes. Dropping it before its end ends the script.
    pub(super) output: Parts<Vec<u8>>,
    /// Why the script failed, if it did; sent before the output ends.
    pub(super) failure: oneshot::Receiver<String>,
}

/// What is told while a script runs.
pub(super) trait Watch: Send + Sync + 'static {
    /// A line of its standard error.
    fn line(&self, line: &str);
    /// So many more bytes of its standard output.
    fn bytes(&self, more: u64);
}

/// Starts the script.
///
/// # Errors
///
/// It cannot be started; in words.
pub(super) fn start(
    executable: &Path,
    directory: &Path,
    watch: Arc<impl Watch>,
) -> Result<Script, String> {
    let mut child = Command::new(executable)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that what it started ends with it.
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let stdout = child.stdout.take().expect("standard output is a pipe");
    let stderr = child.stderr.take().expect("standard error is a pipe");
    let group = Arc::new(Group(Mutex::new(Some(child.id()))));
    let (parts, output) = mpsc::channel(2);
    let (failed, failure) = oneshot::channel();
    let on_line = Arc::clone(&watch);
    let lines = spawn(move || follow(stderr, &*on_line));
    let in_thread = Arc::clone(&group);
    spawn(move || {
        let read = pass_on(stdout, &parts, &*watch);
        // From here on the process may be gone and its number another's.
        in_thread.forget();
        let result = match read {
            Ok(size) => exit(child, lines.join().unwrap_or_default(), size),
            Err(Passing::Unwanted) => {
                // Nobody is left to tell; the group was ended with the output.
                let _ = child.wait();
                return;
            }
            Err(Passing::Unreadable(error)) => {
                let _ = child.wait();
                Err(format!("its output cannot be read: {error}"))
            }
        };
        if let Err(reason) = result {
            // Both receivers are there or gone together.
            let _ = failed.send(reason.clone());
            let _ = parts.blocking_send(Err(EngineError {
                kind: EngineErrorKind::Failed,
                attempt: "read the root file system".to_owned(),
                message: reason,
            }));
        }
    });
    let output = stream::unfold((output, EndOnDrop(group)), |(mut output, end)| async move {
        let part = output.recv().await?;
        Some((part, (output, end)))
    });
    Ok(Script {
        output: Box::pin(output),
        failure,
    })
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
    /// Nobody takes the output any more.
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

/// Tells each line and returns the last ones.
fn follow(from: impl Read, watch: &impl Watch) -> Vec<String> {
    let mut last = Vec::new();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        watch.line(&text);
        if last.len() == LAST_LINES {
            last.remove(0);
        }
        last.push(text);
        line.clear();
    }
    last
}

/// Waits for the end; where it is no success, says how and with which last words.
fn exit(mut child: Child, last: Vec<String>, size: u64) -> Result<(), String> {
    let status = child
        .wait()
        .map_err(|error| format!("cannot be waited for: {error}"))?;
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

/// The process group of a script, as long as it is certain to be the script's.
struct Group(Mutex<Option<u32>>);

impl Group {
    fn forget(&self) {
        *self.lock() = None;
    }

    fn end(&self) {
        if let Some(id) = self.lock().take().and_then(|id| i32::try_from(id).ok()) {
            // SAFETY: kill takes no memory; the group's leader has not been waited for, so the number is still its.
            unsafe { libc::kill(-id, libc::SIGTERM) };
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<u32>> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

struct EndOnDrop(Arc<Group>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}
