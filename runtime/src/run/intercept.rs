//! Becoming the supervisor: this executable's code that runs instead of its `main` when `start.rs` has started it.
//!
//! If one variable is not set, nothing happens. If it is set, `main` never runs: no test harness sees its arguments, lists its
//! tests or prints a line. It does not know what a supervisor does.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

use super::startup::{self, Startup};

/// Becomes the supervisor if this process is to be one, and then does not return: `serve` runs until the supervisor's run is
/// over. To be called before `main`.
pub(crate) fn intercept(serve: fn(Startup) -> Result<(), String>) {
    // SAFETY: the name ends with a zero, and no other thread changes the environment before `main`.
    let is_ordinary = unsafe { libc::getenv(c"SEATRIAL_SUPERVISE".as_ptr()) }.is_null();
    if is_ordinary {
        return;
    }
    let code = match std::panic::catch_unwind(|| become_supervisor(serve)) {
        Ok(Ok(())) => 0,
        Ok(Err(reason)) => {
            eprintln!("error: {reason}");
            1
        }
        // Its message is in the log by now.
        Err(_) => 101,
    };
    // SAFETY: the call only ends the process, without running its exit handlers.
    unsafe { libc::_exit(code) }
}

fn become_supervisor(serve: fn(Startup) -> Result<(), String>) -> Result<(), String> {
    let mut startup = Startup::take()?;
    let failed = |error| format!("cannot detach the supervisor: {error}");
    reset_signals();
    fork().map_err(failed)?;
    // Announced before it leaves the process group, with which it can be killed until then.
    startup.announce();
    detach().map_err(failed)?;
    #[cfg(test)]
    if std::env::var_os(super::tests::SUPERVISOR).is_some() {
        return super::tests::supervisor::run(startup);
    }
    serve(startup)
}

/// Continues in a forked process, and ends this one. So the process that started this one need not wait for the supervisor.
fn fork() -> io::Result<()> {
    // SAFETY: before `main`, no other thread of this program runs, so the child may do everything that this process may.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(()),
        // SAFETY: the call only ends the process. Its parent waits for that, and init adopts the child.
        _ => unsafe { libc::_exit(0) },
    }
}

/// Drops everything else that was inherited: the session, the working directory, descriptors.
fn detach() -> io::Result<()> {
    // SAFETY: the only memory that the calls take is a string that ends with a zero. Neither fails: this process was just
    // forked, so it does not lead a group, and the kernel copies the name.
    unsafe {
        libc::setsid();
        libc::prctl(libc::PR_SET_NAME, c"seatrial".as_ptr());
    }
    std::env::set_current_dir("/")?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    for standard in [libc::STDIN_FILENO, libc::STDOUT_FILENO] {
        // SAFETY: the calls take numbers; what was open before are copies of what `Startup` has.
        if unsafe { libc::dup2(null.as_raw_fd(), standard) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    drop(null);
    close_from(startup::PIPE + 1)
}

/// Resets the inherited dispositions and the mask of signals, and ignores SIGPIPE and the signals with which terminals end their
/// processes.
fn reset_signals() {
    // SAFETY: the calls take numbers, constants, and a set that the first of them initialises. Those of the numbers that
    // are not signals, or that cannot be changed, are refused.
    unsafe {
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        for signal in [libc::SIGPIPE, libc::SIGINT, libc::SIGHUP] {
            libc::signal(signal, libc::SIG_IGN);
        }
        let mut none = std::mem::MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// Closes all descriptors from this one on. Among them are pipes of cargo and nextest, which wait until they are closed.
fn close_from(first: RawFd) -> io::Result<()> {
    let from = libc::c_uint::try_from(first).expect("a descriptor is not negative");
    // SAFETY: the call takes numbers. No Rust code owns these descriptors: what of this program's has run, has closed
    // what it opened.
    let refused = unsafe { libc::syscall(libc::SYS_close_range, from, libc::c_uint::MAX, 0) } != 0;
    // Kernels before 5.9 do not have the call, and some sandboxes refuse it.
    if refused { close_listed(first) } else { Ok(()) }
}

/// Closes all descriptors from this one on, by the kernel's list of open descriptors.
pub(super) fn close_listed(first: RawFd) -> io::Result<()> {
    let entries = std::fs::read_dir("/proc/self/fd")?;
    // The list's own descriptor is among them, so they are closed after it.
    let open: Vec<RawFd> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor >= first)
        .collect();
    for descriptor in open {
        // SAFETY: as above. That of the list is closed already, and nobody else opens anything.
        unsafe { libc::close(descriptor) };
    }
    Ok(())
}
