//! Waiting for the end of a process that is not a child.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::process::ProcessId;

/// The interval of polling, if the kernel cannot report the end of a process.
const POLL: Duration = Duration::from_millis(250);

impl ProcessId {
    /// Waits until the process has ended. Returns at once if another process has its number by now. Needs tokio's I/O and time.
    pub(crate) async fn ended(self) {
        match open(self.pid) {
            Ok(descriptor) => self.ended_by(descriptor).await,
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
            // Kernels before 5.3 do not have the call, and sandboxes with an older list of calls refuse it.
            Err(_) => self.ended_by_polling().await,
        }
    }

    async fn ended_by(self, descriptor: OwnedFd) {
        // The descriptor refers to the process that had the number when it was opened.
        if !self.is_alive() {
            return;
        }
        #[expect(
            deprecated,
            reason = "its successor needs tokio 1.54, and an owned descriptor has what that asks for"
        )]
        let watched = AsyncFd::with_interest(descriptor, Interest::READABLE);
        // A descriptor of a process is readable when the process has ended.
        if let Ok(watched) = watched
            && watched.readable().await.is_ok()
        {
            return;
        }
        self.ended_by_polling().await;
    }

    async fn ended_by_polling(self) {
        while self.is_alive() {
            tokio::time::sleep(POLL).await;
        }
    }
}

fn open(pid: u32) -> io::Result<OwnedFd> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| io::Error::from_raw_os_error(libc::ESRCH))?;
    // SAFETY: the call takes two numbers and no memory.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let descriptor = libc::c_int::try_from(descriptor)
        .ok()
        .filter(|descriptor| *descriptor >= 0)
        .ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel has just opened it for this call alone.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn child() -> (Child, ProcessId) {
        // Ends by itself when the test does, for it reads what only the test can write.
        let child = Command::new("cat")
            .stdin(Stdio::piped())
            .spawn()
            .expect("a child");
        let id = ProcessId::of(child.id()).expect("it runs");
        (child, id)
    }

    /// The wait is pending while the child runs, and is over once it was killed, before anybody has waited for it.
    async fn ends_with_its_child<F: Future<Output = ()>>(waiting: impl FnOnce(ProcessId) -> F) {
        let (mut child, id) = child();
        let mut ended = std::pin::pin!(waiting(id));
        let early = futures_util::poll!(ended.as_mut()).is_ready();
        let was_alive = id.is_alive();
        child.kill().expect("a signal");
        ended.await;
        let is_alive = id.is_alive();
        child.wait().expect("its end");
        assert!(!early, "the child still ran");
        assert!(was_alive && !is_alive);
        assert!(!id.is_alive());
    }

    #[tokio::test]
    async fn the_end_of_a_process_is_seen() {
        ends_with_its_child(ProcessId::ended).await;
    }

    #[tokio::test]
    async fn the_end_of_a_process_is_seen_by_polling() {
        ends_with_its_child(ProcessId::ended_by_polling).await;
    }

    #[tokio::test]
    async fn a_number_that_another_has_by_now_means_a_process_that_has_ended() {
        let own = ProcessId::of(std::process::id()).expect("it runs");
        let before = ProcessId {
            start: own.start - 1,
            ..own
        };
        assert!(own.is_alive() && !before.is_alive());
        before.ended().await;
    }

    #[tokio::test]
    async fn a_process_that_is_gone_has_ended() {
        let (mut child, id) = child();
        child.kill().expect("a signal");
        child.wait().expect("its end");
        id.ended().await;
    }
}
