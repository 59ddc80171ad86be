//! Talking to `fixtures/serve.pl`, from this machine and from a service to another.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// The answer to one line.
///
/// # Errors
///
/// Where there is no connection, or no answer.
pub fn ask(address: SocketAddr, line: &str) -> io::Result<String> {
    Conversation::begin(address)?.ask(line)
}

/// A connection on which one line is answered after the other.
#[derive(Debug)]
pub struct Conversation(BufReader<TcpStream>);

impl Conversation {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Where there is no connection.
    pub fn begin(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a line and reads one.
    ///
    /// # Errors
    ///
    /// Where the connection has ended, or nothing comes.
    pub fn ask(&mut self, line: &str) -> io::Result<String> {
        self.send(line)?;
        self.hear(PATIENCE)
    }

    /// Sends a line.
    ///
    /// # Errors
    ///
    /// Where the connection has ended.
    pub fn send(&mut self, line: &str) -> io::Result<()> {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes())
    }

    /// Reads a line.
    ///
    /// # Errors
    ///
    /// Where the connection has ended, or nothing comes within `patience`.
    pub fn hear(&mut self, patience: Duration) -> io::Result<String> {
        self.0.get_ref().set_read_timeout(Some(patience))?;
        let mut answer = String::new();
        if self.0.read_line(&mut answer)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(answer.trim_end().to_owned())
    }
}
