//! Running other programs: fallback scripts, credential helpers, and cargo for binaries.
//!
//! Each program has a process group of its own, so that its children end with it. If this process is killed, the kernel kills the
//! program. It does not kill the program's children; they find their pipes closed.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Starts a program in a group of its own. The program is killed when the calling thread ends, so the thread must outlive it.
///
/// # Errors
///
/// The program cannot be started.
pub(crate) fn start(command: &mut Command) -> io::Result<(Child, Arc<Group>)> {
    command.process_group(0);
    end_with_this_thread(command);
    let child = command.spawn()?;
    let leader =
        i32::try_from(child.id()).expect("the system's numbers of processes are of this type");
    Ok((child, Arc::new(Group(Mutex::new(Some(leader))))))
}

/// Has the kernel kill the program when this thread ends. The kernel's signal is about the parent thread, not the parent process.
#[cfg(target_os = "linux")]
fn end_with_this_thread(command: &mut Command) {
    let this = std::process::id();
    let bind = move || {
        // SAFETY: takes numbers only.
        if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // The kernel sends no signal for a parent that ended before the call above.
        // SAFETY: takes nothing.
        match u32::try_from(unsafe { libc::getppid() }) {
            Ok(parent) if parent == this => Ok(()),
            _ => Err(io::ErrorKind::Interrupted.into()),
        }
    };
    // SAFETY: between fork and exec, this calls two functions that are async-signal-safe, and allocates nothing.
    unsafe { command.pre_exec(bind) };
}

#[cfg(not(target_os = "linux"))]
fn end_with_this_thread(_: &mut Command) {}

/// The process group of a program. `None` once its leader has been waited for: then the number may belong to another group.
#[derive(Debug)]
pub(crate) struct Group(Mutex<Option<libc::pid_t>>);

impl Group {
    /// Sends a signal to all processes of the group.
    pub(crate) fn signal(&self, signal: libc::c_int) {
        if let Some(leader) = *self.lock() {
            // SAFETY: takes numbers only; the leader has not been waited for, so the number is still the group's.
            unsafe { libc::kill(-leader, signal) };
        }
    }

    /// Waits until the program has ended, and kills the processes that it left in its group.
    ///
    /// # Errors
    ///
    /// The system does not say how it ended.
    pub(crate) fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        loop {
            // SAFETY: all-zero is a valid value of this type.
            let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
            let options = libc::WEXITED | libc::WNOWAIT;
            // SAFETY: the call writes only to the given place.
            let waited = unsafe { libc::waitid(libc::P_PID, child.id(), &raw mut info, options) };
            let error = io::Error::last_os_error();
            if waited == 0 {
                break;
            }
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        self.signal(libc::SIGKILL);
        // After this, the number may be given to another group.
        let mut leader = self.lock();
        *leader = None;
        child.wait()
    }

    fn lock(&self) -> MutexGuard<'_, Option<libc::pid_t>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::*;

    /// Waits for something, far longer than it takes.
    pub(in crate::images) fn until<T>(what: &str, condition: impl Fn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(value) = condition() {
                return value;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "waited too long: {what}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the process runs no more that has written its number, or that of what it has started, into this file.
    pub(in crate::images) fn until_gone(file: &Path) {
        let process: u32 = until("it has begun", || {
            std::fs::read_to_string(file).ok()?.trim().parse().ok()
        });
        until(&format!("{} is ended", file.display()), || {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
                .then_some(())
        });
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_ends_with_the_thread_that_started_it() {
        let mut child = std::thread::spawn(|| {
            let (child, _) = start(Command::new("sleep").arg("1000")).expect("it starts");
            child
        })
        .join()
        .expect("no panic");
        let status = child.wait().expect("it is ours");
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(libc::SIGKILL)
        );
    }
}
