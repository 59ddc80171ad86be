//! Talking to `fixtures/serve.pl`, from this machine and from a service to another.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answer to one line.
///
/// # Errors
///
/// Where there is no connection, or no answer.
pub fn ask(address: SocketAddr, line: &str) -> io::Result<String> {
    ask_within(address, line, PATIENCE)
}

/// The answer to one line, which is given up after so long.
///
/// # Errors
///
/// Where there is no connection, or no answer.
pub fn ask_within(address: SocketAddr, line: &str, patience: Duration) -> io::Result<String> {
    Conversation::begin_within(address, patience)?.ask(line)
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
        Self::begin_within(address, PATIENCE)
    }

    fn begin_within(address: SocketAddr, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a line and reads one.
    ///
    /// # Errors
    ///
    /// Where the connection has ended, or nothing comes.
    pub fn ask(&mut self, line: &str) -> io::Result<String> {
        self.send(line)?;
        self.hear()
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
    /// Where the connection has ended, or nothing comes.
    pub fn hear(&mut self) -> io::Result<String> {
        let mut answer = String::new();
        if self.0.read_line(&mut answer)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(answer.trim_end().to_owned())
    }

    /// Whether something has come that was not read yet, or the connection has ended.
    ///
    /// # Errors
    ///
    /// Where the connection is broken.
    pub fn has_heard(&mut self) -> io::Result<bool> {
        let stream = self.0.get_ref();
        stream.set_nonblocking(true)?;
        let heard = match self.0.fill_buf() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        };
        self.0.get_ref().set_nonblocking(false)?;
        heard
    }
}
