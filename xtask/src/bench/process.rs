//! Runs a test in a process of its own, and says what it wrote and when it ended.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};

/// How long a process may take: far longer than it does. The longest are clean builds.
const DEADLINE: Duration = Duration::from_secs(3600);

/// A process that has succeeded.
pub(super) struct Finished {
    pub(super) output: String,
    /// The time of day at which it was over, in seconds.
    pub(super) ended: f64,
}

/// The command that runs one ignored test of an executable and shows what it writes.
pub(super) fn test(executable: &Path, name: &str) -> Command {
    let mut command = Command::new(executable);
    command.args([name, "--exact", "--ignored", "--nocapture"]);
    command
}

/// Runs a command to its end.
///
/// # Errors
///
/// Where it cannot be run, fails, or takes too long; with what it wrote.
pub(super) fn run(command: &mut Command) -> Result<Finished> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    // Neither of them may fill up.
    let output = collect(child.stdout.take().expect("it is piped"));
    let errors = collect(child.stderr.take().expect("it is piped"));
    let id = libc::pid_t::try_from(child.id()).expect("the system's ids are of that type");
    let (sender, ending) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let status = child.wait();
        let ended = SystemTime::now();
        // Nobody listens where the deadline has passed.
        let _ = sender.send((status, ended));
    });
    let Ok((status, ended)) = ending.recv_timeout(DEADLINE) else {
        // SAFETY: the call takes two numbers and no memory; the thread has not reaped the process, so the id is its own.
        unsafe { libc::kill(id, libc::SIGKILL) };
        bail!("{} had not ended after {DEADLINE:?}", line(command));
    };
    waiting.join().expect("it does not panic");
    let [output, errors] = [output, errors].map(|it| it.join().expect("it does not panic"));
    let status = status?;
    ensure!(
        status.success(),
        "{} ended with {status}:\n{output}\n{errors}",
        line(command)
    );
    let ended = ended.duration_since(UNIX_EPOCH)?.as_secs_f64();
    Ok(Finished {
        output: output + &errors,
        ended,
    })
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is as good as all.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn line(command: &Command) -> String {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    let words: Vec<_> = words.map(|it| it.to_string_lossy()).collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Finished> {
        run(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn a_process_is_over_when_it_has_ended() {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let before = now().as_secs_f64();
        let finished = shell("echo out; echo err >&2").unwrap();
        assert_eq!(finished.output, "out\nerr\n");
        assert!(before <= finished.ended && finished.ended <= now().as_secs_f64());
    }

    #[test]
    fn a_process_that_fails_is_an_error_with_what_it_wrote() {
        let error = shell("echo out; echo err >&2; exit 3").err().unwrap();
        let error = error.to_string();
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.contains("out\n\nerr"), "{error}");
        let error = run(&mut Command::new("/no/such/program")).err().unwrap();
        assert_eq!(error.to_string(), "cannot run /no/such/program");
    }
}
