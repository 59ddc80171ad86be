//! The few questions that the commands here have for an engine, asked over its socket: no client has to be installed.
//!
//! HTTP/1.0 on purpose: a connection per request, and an answer that ends where the connection does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Address {
    /// Reads `unix:///path`, `tcp://host:port`, or a plain path. `None` for what cannot be spoken here, as `ssh://`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix://") {
            Some(Self::Unix(path.into()))
        } else if let Some(host) = text
            .strip_prefix("tcp://")
            .or_else(|| text.strip_prefix("http://"))
        {
            Some(Self::Tcp(host.trim_end_matches('/').to_owned()))
        } else {
            text.starts_with('/').then(|| Self::Unix(text.into()))
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) => write!(f, "tcp://{host}"),
        }
    }
}

/// How long an engine may take for its first answer to a question.
const DEADLINE: Duration = Duration::from_secs(10);

/// An engine's API.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) address: Address,
}

impl Api {
    /// Asks the engine whether it is there.
    ///
    /// # Errors
    ///
    /// The connection's error as it is, so that its kind can be told.
    pub(crate) fn ping(&self) -> std::io::Result<()> {
        let mut answer = String::new();
        let request = b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n";
        let mut connection = self.connect()?;
        connection.write_all(request)?;
        connection.take(4096).read_to_string(&mut answer)?;
        if status(&answer) == Some(200) {
            Ok(())
        } else {
            let first = answer.lines().next().unwrap_or("nothing");
            Err(std::io::Error::other(format!("unexpected answer: {first}")))
        }
    }

    /// Whether there is anything at this path.
    ///
    /// # Errors
    ///
    /// Where the engine does not answer, or with an error.
    pub(crate) fn has(&self, path: &str) -> Result<bool> {
        Ok(self.get(path)?.is_some())
    }

    /// Gets a JSON document; `None` where there is none at this path.
    ///
    /// # Errors
    ///
    /// Where the engine does not answer, or with an error.
    pub(crate) fn get(&self, path: &str) -> Result<Option<Value>> {
        match self.send("GET", path, None)? {
            (200..300, body) => Ok(Some(serde_json::from_str(&body)?)),
            (404, _) => Ok(None),
            (status, body) => bail!("the engine answers {path} with {status}: {}", body.trim()),
        }
    }

    /// Removes what is at this path: the status and the text of the engine's answer, whatever they are.
    ///
    /// # Errors
    ///
    /// Where the engine does not answer.
    pub(crate) fn delete(&self, path: &str) -> Result<(u16, String)> {
        self.send("DELETE", path, None)
    }

    /// Sends a body of this type to this path: the status and the text of the engine's answer, whatever they are.
    ///
    /// # Errors
    ///
    /// Where the engine does not answer.
    pub(crate) fn post(&self, path: &str, kind: &str, body: &[u8]) -> Result<(u16, String)> {
        self.send("POST", path, Some((kind, body)))
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        content: Option<(&str, &[u8])>,
    ) -> Result<(u16, String)> {
        let unreachable = || format!("the engine at {} does not answer", self.address);
        let mut message = format!("{method} {path} HTTP/1.0\r\nHost: engine\r\n").into_bytes();
        if let Some((kind, body)) = content {
            let length = body.len();
            message.extend(
                format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n").into_bytes(),
            );
        }
        message.extend(b"\r\n");
        message.extend(content.map_or(&[][..], |(_, body)| body));
        let mut connection = self.connect().with_context(unreachable)?;
        connection.write_all(&message).with_context(unreachable)?;
        let mut answer = BufReader::new(connection);
        let mut line = String::new();
        answer.read_line(&mut line).with_context(unreachable)?;
        let status = status(&line)
            .ok_or_else(|| anyhow!("{} is not an engine: the answer is not HTTP", self.address))?;
        while line.trim_end() != "" {
            line.clear();
            answer.read_line(&mut line).with_context(unreachable)?;
        }
        let mut body = String::new();
        answer.read_to_string(&mut body).with_context(unreachable)?;
        Ok((status, body))
    }

    fn connect(&self) -> std::io::Result<Box<dyn Connection>> {
        match &self.address {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(DEADLINE))?;
                Ok(Box::new(stream))
            }
            Address::Tcp(host) => {
                let address = host
                    .to_socket_addrs()?
                    .next()
                    .ok_or_else(|| std::io::Error::other(format!("`{host}` has no address")))?;
                let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
                stream.set_read_timeout(Some(DEADLINE))?;
                Ok(Box::new(stream))
            }
        }
    }
}

trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// The status code in the first line of an answer.
fn status(answer: &str) -> Option<u16> {
    let rest = answer.strip_prefix("HTTP/1.")?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_docker_host_writes_them() {
        let unix = |path: &str| Some(Address::Unix(path.into()));
        assert_eq!(Address::parse("unix:///run/d.sock"), unix("/run/d.sock"));
        assert_eq!(Address::parse("/run/d.sock"), unix("/run/d.sock"));
        assert_eq!(
            Address::parse("tcp://10.0.0.1:2375/"),
            Some(Address::Tcp("10.0.0.1:2375".to_owned()))
        );
        assert_eq!(Address::parse("ssh://me@there"), None);
    }

    #[test]
    fn the_status_is_in_the_first_line() {
        assert_eq!(status("HTTP/1.0 200 OK\r\n\r\nOK"), Some(200));
        assert_eq!(status("HTTP/1.1 404 Not Found"), Some(404));
        assert_eq!(status("SSH-2.0-OpenSSH"), None);
    }
}
