//! Advisory locks on files, by `flock`. The kernel releases a lock when its process ends, for whatever reason.
//!
//! A lock is on the open file, not on its name. If a holder unlinks its file, a waiting process may get a lock that excludes nobody;
//! `is_at` detects that.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Waits until this open file has the lock. It holds the lock until it is unlocked, or every descriptor of it is closed.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    flock(file, libc::LOCK_EX).map(drop)
}

/// Takes the lock unless another open file has it.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    flock(file, libc::LOCK_EX | libc::LOCK_NB)
}

/// Releases the lock, also if another process has a descriptor of the same open file.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "needed for runs only, which are on Linux only")
)]
pub(crate) fn unlock(file: &File) -> io::Result<()> {
    flock(file, libc::LOCK_UN).map(drop)
}

/// Whether the open file is the one with this name now.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => open.ino() == named.ino() && open.dev() == named.dev(),
        _ => false,
    }
}

/// Whether the operation was done. Without `LOCK_NB` it always is.
fn flock(file: &File, operation: libc::c_int) -> io::Result<bool> {
    loop {
        // SAFETY: flock takes a descriptor, which the borrowed file keeps open, and no memory.
        if unsafe { libc::flock(file.as_raw_fd(), operation) } == 0 {
            return Ok(true);
        }
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::WouldBlock => return Ok(false),
            io::ErrorKind::Interrupted => {}
            _ => return Err(error),
        }
    }
}
