//! Real servers in services: talking to them from this machine, and by their own programs.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use seatrial::Service;

/// A connection on which no answer is waited for longer than ten seconds.
///
/// # Panics
///
/// Where there is none.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    let patience = Some(Duration::from_secs(10));
    stream.set_read_timeout(patience).expect("a time-out");
    stream
}

/// What a command in a service's container prints, trimmed.
///
/// # Panics
///
/// Where it cannot be run, or fails.
#[track_caller]
pub fn run(service: &Service, command: &[&str]) -> String {
    let output = service
        .exec(command.iter().copied())
        .wait()
        .expect("it runs");
    assert!(output.success(), "{output:?}");
    output.stdout.trim().to_owned()
}
