//! Starting the supervisor: runs the current executable again, with a variable that makes it the supervisor.
//!
//! The new process gets three descriptors, as its standard ones: the lock of the directory, so that it holds the lock even if this
//! process is killed; a pipe on which it reports that it listens; and its log. `startup.rs` and
//! `intercept.rs` use them.

use std::fs::File;
use std::io::{self, PipeReader, Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::directory::{ElectionLock, RunDirectory};
use super::error::StartError;
use super::process::ProcessId;
use super::startup;

/// How long a supervisor may take to listen.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// The variables that name the run of a process.
const OF_A_RUN: [&str; 2] = ["SEATRIAL_RUN_ID", "NEXTEST_RUN_ID"];

/// How many bytes of a log are read.
const LOG_BYTES: u64 = 64 * 1024;

/// How many lines of a log are shown. The cause is at the beginning if a backtrace follows, and at the end otherwise.
const FIRST_LINES: usize = 5;
const LAST_LINES: usize = 20;

/// Starts the run's supervisor and waits until it listens.
///
/// `environment` is added to this process's own.
pub(super) fn start(
    directory: &RunDirectory,
    process: Option<ProcessId>,
    lock: &ElectionLock,
    environment: &[(&str, &str)],
    deadline: Duration,
) -> Result<(), StartError> {
    let spawn = |source| StartError::Spawn { source };
    let mut log = directory.open_log().map_err(spawn)?;
    let before = log.seek(SeekFrom::End(0)).map_err(spawn)?;
    let (pipe, written) = io::pipe().map_err(spawn)?;

    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("seatrial-supervisor")
        .envs(environment.iter().copied())
        .env(startup::DIRECTORY, directory.path())
        .env(startup::PROCESS, startup::variable(process))
        .stdin(Stdio::from(lock.share().map_err(spawn)?))
        .stdout(written)
        .stderr(log)
        // A signal to this process's group, as terminals send it, must not reach the supervisor.
        .process_group(0);
    if process.is_none() {
        // A keeper outlives the run that has started it.
        for name in OF_A_RUN {
            command.env_remove(name);
        }
    }
    let mut child = command.spawn().map_err(spawn)?;
    // The pipe ends with the supervisor only if this process has closed its own writing end.
    drop(command);

    let answer = Answer::read(pipe, deadline);
    if let Ok(Answer {
        supervisor,
        outcome: Outcome::Silent,
    }) = &answer
    {
        // The supervisor is in the child's group until it has sent its number. Neither number can belong to another process: the
        // child was not waited for, and the supervisor has not ended, because its end of the pipe is open.
        let group = libc::pid_t::try_from(child.id()).ok().map(|group| -group);
        for target in group.into_iter().chain(*supervisor) {
            // SAFETY: the call takes two numbers and no memory.
            unsafe { libc::kill(target, libc::SIGKILL) };
        }
    }
    // The child forks the supervisor and ends, so that the supervisor is not a child of this process.
    let _ = child.wait();

    match answer.map_err(spawn)?.outcome {
        Outcome::Listens => Ok(()),
        Outcome::Refused(reason) => Err(StartError::Refused { reason }),
        Outcome::Ended => Err(ended(directory, before)),
        Outcome::Silent => Err(StartError::TimedOut {
            log: directory.log(),
            after: deadline,
        }),
    }
}

/// The error of a supervisor that has ended, with the text that it wrote to its log after the first `before` bytes.
pub(super) fn ended(directory: &RunDirectory, before: u64) -> StartError {
    let log = directory.log();
    let written = File::open(&log).and_then(|mut file| {
        file.seek(SeekFrom::Start(before))?;
        let mut bytes = Vec::new();
        file.take(LOG_BYTES).read_to_end(&mut bytes)?;
        Ok(shortened(&String::from_utf8_lossy(&bytes)))
    });
    StartError::Ended {
        log,
        written: written.unwrap_or_default(),
    }
}

fn shortened(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    if let Some(omitted) = lines.len().checked_sub(FIRST_LINES + LAST_LINES)
        && omitted > 0
    {
        lines.splice(FIRST_LINES..FIRST_LINES + omitted, ["[..]"]);
    }
    lines.join("\n")
}

/// The data that came over the pipe.
struct Answer {
    /// The supervisor's number, if it has sent it.
    supervisor: Option<libc::pid_t>,
    outcome: Outcome,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Listens,
    Refused(String),
    Ended,
    /// Nothing came until the deadline, and the other end is open.
    Silent,
}

impl Answer {
    /// Reads the supervisor's number on a line, then `ready` on another, or `failed ` and the reason up to the end.
    fn read(mut pipe: PipeReader, deadline: Duration) -> io::Result<Self> {
        let deadline = Instant::now() + deadline;
        let mut text = Vec::new();
        loop {
            let mut chunk = [0; 1024];
            let outcome = match wait(&pipe, deadline)? {
                false => Some(Outcome::Silent),
                true => match pipe.read(&mut chunk)? {
                    0 => Some(Outcome::Ended),
                    length => {
                        text.extend_from_slice(&chunk[..length]);
                        None
                    }
                },
            };
            let text = String::from_utf8_lossy(&text);
            let (supervisor, said) = match text.split_once('\n') {
                Some((pid, said)) => (pid.parse().ok(), said),
                None => (None, ""),
            };
            let outcome = match (outcome, said.strip_prefix("failed ")) {
                (_, None) if said == "ready\n" => Outcome::Listens,
                (Some(Outcome::Ended), Some(reason)) => Outcome::Refused(reason.trim().to_owned()),
                (Some(outcome), _) => outcome,
                (None, _) => continue,
            };
            return Ok(Self {
                supervisor,
                outcome,
            });
        }
    }
}

/// Whether there is something to read, or the end, before the deadline.
fn wait(pipe: &PipeReader, deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up, because 0 would not wait.
        let millis = libc::c_int::try_from(left.as_millis() + 1).unwrap_or(libc::c_int::MAX);
        let mut polled = libc::pollfd {
            fd: pipe.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: the pointer is to one entry, as the count says. The call reads and writes that entry only.
        match unsafe { libc::poll(&raw mut polled, 1, millis) } {
            0 if left.is_zero() => return Ok(false),
            0 => {}
            -1 => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            _ => return Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn answer(text: &str) -> Answer {
        let (pipe, mut written) = io::pipe().expect("a pipe");
        written.write_all(text.as_bytes()).expect("there is room");
        drop(written);
        Answer::read(pipe, DEADLINE).expect("a pipe can be read")
    }

    #[test]
    fn of_a_long_log_the_beginning_and_the_end_are_shown() {
        let text = |count: usize| {
            let lines: Vec<String> = (1..=count).map(|line| line.to_string()).collect();
            lines.join("\n")
        };
        assert_eq!(shortened(&text(25)), text(25));
        let long = shortened(&text(100));
        assert!(long.starts_with("1\n2\n3\n4\n5\n[..]\n81\n"), "{long}");
        assert!(long.ends_with("\n100"), "{long}");
        assert_eq!(shortened(""), "");
    }

    #[test]
    fn what_a_supervisor_says_is_understood() {
        for (text, supervisor, outcome) in [
            ("42\nready\n", Some(42), Outcome::Listens),
            ("42\n", Some(42), Outcome::Ended),
            ("42\nrea", Some(42), Outcome::Ended),
            ("", None, Outcome::Ended),
            (
                "42\nfailed a:\nb\n",
                Some(42),
                Outcome::Refused("a:\nb".to_owned()),
            ),
        ] {
            let answer = answer(text);
            assert_eq!((answer.supervisor, answer.outcome), (supervisor, outcome));
        }
    }

    #[test]
    fn a_supervisor_that_says_nothing_is_silent_at_the_deadline() {
        let (pipe, mut written) = io::pipe().expect("a pipe");
        written.write_all(b"42\n").expect("there is room");
        let answer = Answer::read(pipe, Duration::ZERO).expect("a pipe can be read");
        assert_eq!(
            (answer.supervisor, answer.outcome),
            (Some(42), Outcome::Silent)
        );
        drop(written);
    }
}
