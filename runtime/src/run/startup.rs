//! What one process hands to the supervisor that it starts: variables, descriptors, and the pipe on which it waits for
//! word.

use std::fs::File;
use std::io::Write;
use std::os::fd::{FromRawFd, RawFd};
use std::path::PathBuf;

use super::directory::RunDirectory;
use super::process::ProcessId;
use crate::flock;

/// Where the run's directory is; that it is set makes the process a supervisor.
pub(super) const DIRECTORY: &str = "SEATRIAL_SUPERVISE";

/// The process with whose end the run ends, or [`NOBODY`].
pub(super) const PROCESS: &str = "SEATRIAL_SUPERVISE_PROCESS";

/// Said instead of a process to a keeper, which belongs to no run.
const NOBODY: &str = "nobody";

/// The value of [`PROCESS`] for this process.
pub(super) fn variable(process: Option<ProcessId>) -> String {
    process.map_or_else(|| NOBODY.to_owned(), |process| process.to_string())
}

/// What a supervisor is started with.
#[derive(Debug)]
pub(crate) struct Startup {
    /// Where the run's processes find the supervisor.
    pub(crate) directory: RunDirectory,
    /// With whose end the run ends; none for a keeper.
    pub(crate) process: Option<ProcessId>,
    /// Keeps others from starting a supervisor until this one listens, also when the process that started it is gone.
    _lock: File,
    /// Where that process waits for word.
    pipe: File,
}

/// The descriptors of the above, beside the standard ones.
const LOCK: RawFd = 3;
/// The last of what the process keeps.
pub(super) const PIPE: RawFd = 4;

impl Startup {
    /// Takes what `start.rs` has handed over, and leaves nothing of it to the processes that this one starts.
    pub(super) fn take() -> Result<Self, String> {
        let variables = [DIRECTORY, PROCESS].map(std::env::var_os);
        for name in [DIRECTORY, PROCESS] {
            // SAFETY: before `main` no other thread of this program runs.
            unsafe { std::env::remove_var(name) };
        }
        let not_ours = || format!("`{DIRECTORY}` is for Seatrial's own use: unset it");
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
            // SAFETY: the call takes numbers. What may have been open under the second is nothing that Rust code owns:
            // none of this program's has run.
            if unsafe { libc::dup3(from, to, libc::O_CLOEXEC) } < 0 {
                return Err(not_ours());
            }
        }
        // SAFETY: both were opened just now, for this alone.
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

    /// Says who this is, so that it can be killed when it says nothing else.
    pub(super) fn announce(&mut self) {
        // That nobody waits any more is no reason not to listen: others may.
        let _ = writeln!(self.pipe, "{}", std::process::id());
    }

    /// Says that the supervisor listens. From here on others may connect.
    pub(super) fn listens(mut self) {
        let _ = writeln!(self.pipe, "ready");
    }

    /// Says why the supervisor cannot start.
    pub(crate) fn fail(mut self, reason: &str) {
        let _ = writeln!(self.pipe, "failed {reason}");
    }
}
