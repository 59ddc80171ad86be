//! The variables and descriptors that a process hands to the supervisor that it starts, and the pipe on which it waits for the
//! supervisor's report.

use std::fs::File;
use std::io::Write;
use std::os::fd::{FromRawFd, RawFd};
use std::path::PathBuf;

use super::directory::RunDirectory;
use super::process::ProcessId;
use crate::flock;

/// The variable with the path of the run's directory. A process in which it is set becomes a supervisor.
pub(super) const DIRECTORY: &str = "SEATRIAL_SUPERVISE";

/// The variable with the process with which the run ends, or [`NOBODY`].
pub(super) const PROCESS: &str = "SEATRIAL_SUPERVISE_PROCESS";

/// The value for a keeper, which belongs to no run.
const NOBODY: &str = "nobody";

/// The value of [`PROCESS`] for this process.
pub(super) fn variable(process: Option<ProcessId>) -> String {
    process.map_or_else(|| NOBODY.to_owned(), |process| process.to_string())
}

/// The data that a supervisor is started with.
#[derive(Debug)]
pub(crate) struct Startup {
    /// The directory in which the run's processes find the supervisor.
    pub(crate) directory: RunDirectory,
    /// The process with which the run ends. `None` for a keeper.
    pub(crate) process: Option<ProcessId>,
    /// Prevents other processes from starting a supervisor until this one listens, even if the process that started it is gone.
    _lock: File,
    /// The pipe on which the process that started it waits for the report.
    pipe: File,
}

/// The descriptors of the lock and the pipe, after the standard ones.
const LOCK: RawFd = 3;
/// The highest descriptor that the process keeps.
pub(super) const PIPE: RawFd = 4;

impl Startup {
    /// Takes the data that `start.rs` has handed over. The processes that this one starts inherit none of it.
    pub(super) fn take() -> Result<Self, String> {
        let variables = [DIRECTORY, PROCESS].map(std::env::var_os);
        for name in [DIRECTORY, PROCESS] {
            // SAFETY: before `main`, no other thread of this program runs.
            unsafe { std::env::remove_var(name) };
        }
        let not_ours = || format!("`{DIRECTORY}` is reserved for Seatrial's own use; unset it");
        let [Some(directory), Some(process)] = variables else {
            return Err(not_ours());
        };
        let directory = RunDirectory::at(PathBuf::from(directory));
        let process = match process.to_str() {
            Some(NOBODY) => None,
            Some(text) => Some(text.parse().map_err(|_| not_ours())?),
            None => return Err(not_ours()),
        };

        for (from, to) in [(libc::STDIN_FILENO, LOCK), (libc::STDOUT_FILENO, PIPE)] {
            // SAFETY: the call takes numbers. No Rust code owns a descriptor with the second number, because
            // none of this program's code has run yet.
            if unsafe { libc::dup3(from, to, libc::O_CLOEXEC) } < 0 {
                return Err(not_ours());
            }
        }
        // SAFETY: both were opened just now, and nothing else owns them.
        let [lock, pipe] = [LOCK, PIPE].map(|descriptor| unsafe { File::from_raw_fd(descriptor) });
        if !flock::is_at(&lock, &directory.election()) {
            return Err(not_ours());
        }
        Ok(Self {
            directory,
            process,
            _lock: lock,
            pipe,
        })
    }

    /// Sends the number of this process, so that it can be killed if it sends nothing else.
    pub(super) fn announce(&mut self) {
        // If the process that started it has gone, the supervisor still listens: others may connect.
        let _ = writeln!(self.pipe, "{}", std::process::id());
    }

    /// Reports that the supervisor listens. From now on, other processes may connect.
    pub(super) fn listens(mut self) {
        let _ = writeln!(self.pipe, "ready");
    }

    /// Reports why the supervisor cannot start.
    pub(crate) fn fail(mut self, reason: &str) {
        let _ = writeln!(self.pipe, "failed {reason}");
    }
}
