//! What a supervisor has of the process that started it: nothing.

use std::io::{self, Read};
use std::os::fd::AsRawFd;

use super::{Fixture, child, wait_until};
use crate::run::process::Stat;

#[test]
fn a_supervisor_has_no_descriptor_of_its_parents() {
    let fixture = Fixture::new("descriptors");
    let (mut pipe, written) = io::pipe().expect("a pipe");
    // SAFETY: the calls take numbers; the borrowed descriptors are open.
    let (inherited, waits_never) = unsafe {
        (
            libc::fcntl(written.as_raw_fd(), libc::F_SETFD, 0),
            libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK),
        )
    };
    assert_eq!((inherited, waits_never), (0, 0));
    let client = fixture.attach();
    drop(written);
    wait_until("the pipe's end", || match pipe.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            false
        }
    });
    assert!(client.supervisor.is_alive());
}

#[test]
fn a_supervisor_is_detached() {
    let fixture = Fixture::new("detached");
    let client = fixture.attach();
    let pid = client.supervisor.pid;
    let proc = |name: &str| format!("/proc/{pid}/{name}");

    let stat = Stat::of(pid).expect("it runs");
    assert_eq!(stat.name, "seatrial");
    assert_ne!(stat.parent, std::process::id());
    // SAFETY: the calls take a number.
    let (session, own) = unsafe {
        (
            libc::getsid(pid.try_into().expect("a pid")),
            libc::getsid(0),
        )
    };
    assert_eq!(u32::try_from(session), Ok(pid));
    assert_ne!(session, own);

    let link = |name: &str| std::fs::read_link(proc(name)).expect("a link");
    assert_eq!(link("cwd").to_str(), Some("/"));
    assert_eq!(link("fd/0").to_str(), Some("/dev/null"));
    assert_eq!(link("fd/1").to_str(), Some("/dev/null"));
    assert_eq!(link("fd/2"), fixture.directory().log());

    let status = std::fs::read_to_string(proc("status")).expect("it runs");
    let signals = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        u64::from_str_radix(line.expect("a line").trim(), 16).expect("a set")
    };
    let set = |signals: &[i32]| {
        signals
            .iter()
            .fold(0, |set, signal| set | 1 << (signal - 1))
    };
    assert_eq!(signals("SigBlk:"), 0);
    // The C library keeps two signals to itself, which are as they were.
    assert_eq!(
        signals("SigIgn:") & !set(&[32, 33]),
        set(&[libc::SIGPIPE, libc::SIGINT, libc::SIGHUP])
    );
    assert_eq!(signals("SigCgt:") & set(&[libc::SIGTERM]), 0);
}

#[test]
fn descriptors_are_closed_also_where_the_kernel_has_no_call_for_it() {
    let output = child::command("close").output().expect("a child");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text.trim(), "true 4", "{output:?}");
}
