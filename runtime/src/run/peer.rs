//! The user at the other end of a socket.

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// The user of the process that listens, as it was when the process began to listen.
pub(super) fn user(stream: &UnixStream) -> io::Result<u32> {
    let mut credentials = MaybeUninit::<libc::ucred>::zeroed();
    let mut length =
        libc::socklen_t::try_from(mem::size_of::<libc::ucred>()).expect("a few bytes are few");
    // SAFETY: the borrowed stream keeps the descriptor open. The pointers are to a value and to its size, and the call writes
    // at most that many bytes.
    let refused = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            credentials.as_mut_ptr().cast(),
            &raw mut length,
        )
    } != 0;
    if refused {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: all-zero is a valid value of this type, and the call can only have replaced it by another.
    Ok(unsafe { credentials.assume_init() }.uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_end_of_ones_own_socket_is_ones_own() {
        let (one, _other) = UnixStream::pair().expect("a pair");
        assert_eq!(
            user(&one).expect("it is known"),
            crate::private_directory::user()
        );
    }
}
