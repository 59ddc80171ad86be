//! Other users, who must not get to a supervisor. Only root can become another.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::{Fixture, open_to_others};
use crate::private_directory::user;

const NOBODY: libc::uid_t = 65534;

/// What becomes of a connection of another user's: the error, or whether it was closed before anything was answered.
fn connect_as_another(socket: &Path) -> io::Result<()> {
    // SAFETY: all-zero is a value of this type.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::sa_family_t::try_from(libc::AF_UNIX).expect("a small number");
    for (to, from) in address
        .sun_path
        .iter_mut()
        .zip(socket.as_os_str().as_bytes())
    {
        *to = *from as libc::c_char;
    }
    let length = libc::socklen_t::try_from(std::mem::size_of_val(&address)).expect("few bytes");
    let check = |result: libc::c_long| match result {
        -1 => Err(io::Error::last_os_error()),
        result => Ok(result),
    };
    let attempt = move || {
        // SAFETY: the calls are async-signal-safe, and their pointers are to values of the length that they are given.
        unsafe {
            // The raw calls, for those of the C library speak to other threads, which a child does not have.
            check(libc::syscall(
                libc::SYS_setgroups,
                0,
                std::ptr::null::<libc::gid_t>(),
            ))?;
            check(libc::syscall(libc::SYS_setuid, NOBODY))?;
            let descriptor = libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
            check(descriptor.into())?;
            check(libc::connect(descriptor, (&raw const address).cast(), length).into())?;
            // The supervisor may have closed it by now.
            libc::send(descriptor, c"who\n".as_ptr().cast(), 4, libc::MSG_NOSIGNAL);
            let mut answer = [0_u8; 1];
            match libc::read(descriptor, answer.as_mut_ptr().cast(), 1) {
                1 => Ok(()),
                _ => Err(io::Error::from_raw_os_error(libc::ECONNRESET)),
            }
        }
    };
    let mut command = Command::new("true");
    // SAFETY: see the closure.
    unsafe { command.pre_exec(attempt) };
    let mut child = command.spawn()?;
    child.wait().map(drop)
}

#[test]
fn another_user_is_kept_out() {
    if user() != 0 {
        println!("skipped: only root can become another user");
        return;
    }
    let fixture = Fixture::new("strangers");
    let client = fixture.attach();
    let directory = fixture.directory();

    let refused = connect_as_another(&directory.socket()).expect_err("they may not enter");
    assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);

    // Where the directory does not keep them out, the supervisor does.
    open_to_others(&fixture.parent, 0o711);
    open_to_others(directory.path(), 0o711);
    open_to_others(&directory.socket(), 0o666);
    let closed = connect_as_another(&directory.socket());
    open_to_others(&fixture.parent, 0o700);
    open_to_others(directory.path(), 0o700);
    let closed = closed.expect_err("they are not answered");
    assert_eq!(closed.kind(), io::ErrorKind::ConnectionReset, "{closed}");

    assert_eq!(
        super::greet(&client.stream).expect("an answer"),
        Some(client.supervisor)
    );
}
