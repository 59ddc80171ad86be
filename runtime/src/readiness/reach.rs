//! Where a container's port is reached from this process, and how one connects to it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::subject::Subject;

/// How long a connection to the container's own address may take. On a bridge of this machine's it takes
/// microseconds, or is refused; where a packet was lost, TCP sends the next one after a second, and so does the
/// next attempt.
const DIRECT_CONNECT: Duration = Duration::from_secs(1);

/// How long a connection through a published port may take; the proxy may be in a virtual machine.
const PUBLISHED_CONNECT: Duration = Duration::from_secs(5);

/// Whether containers of the network with this gateway can be reached from this process by their own addresses:
/// whether the network's bridge is on this very network stack. It is not where the engine is rootless, in a virtual
/// machine or on another host, nor where this process is in a container itself.
///
/// Traffic to one of a machine's own addresses has that very address as its source, which the kernel says without
/// sending anything.
pub(crate) fn is_direct(gateway: Ipv4Addr) -> bool {
    let source = || -> io::Result<SocketAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // The discard port; nothing is sent to it.
        socket.connect((gateway, 9))?;
        socket.local_addr()
    };
    source().is_ok_and(|source| source.ip() == gateway)
}

/// Where a port of the subject's is reached from this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// At the container's own address.
    Direct(SocketAddr),
    /// Where the engine publishes it.
    Published(String, u16),
}

impl Target {
    /// # Errors
    ///
    /// In words: the port is to be reached through the engine, which does not publish it.
    pub(super) fn of(subject: &Subject<'_>, port: u16) -> Result<Self, String> {
        if subject.direct {
            return Ok(Self::Direct((subject.address, port).into()));
        }
        let published = subject.published.iter().find(|it| it.container == port);
        let Some(published) = published else {
            return Err(format!(
                "port {port} is not published, and the container's address is out of reach; \
                 declare it with `port = {port}` or among `ports(..)`"
            ));
        };
        // A name would be resolved, to an address on which nothing is published perhaps.
        let host = match subject.engine.info().published_host.as_str() {
            "localhost" => published.host_ip.to_string(),
            host => host.to_owned(),
        };
        Ok(Self::Published(host, published.host))
    }

    /// # Errors
    ///
    /// In words: why there is no connection.
    pub(super) async fn connect(&self) -> Result<TcpStream, String> {
        let (deadline, connected) = match self {
            Self::Direct(address) => (
                DIRECT_CONNECT,
                timeout(DIRECT_CONNECT, TcpStream::connect(address)).await,
            ),
            Self::Published(host, port) => (
                PUBLISHED_CONNECT,
                timeout(
                    PUBLISHED_CONNECT,
                    TcpStream::connect((host.as_str(), *port)),
                )
                .await,
            ),
        };
        match connected {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(describe(&error)),
            Err(_) => Err(format!("no connection within {deadline:?}")),
        }
    }
}

/// What a refused connection is called.
pub(super) const REFUSED: &str = "connection refused";

/// An I/O error as a person would say it.
pub(super) fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => REFUSED.to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::HostUnreachable => "the container's address does not answer".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_direct_and_another_is_not() {
        assert!(is_direct(Ipv4Addr::LOCALHOST));
        // Kept for documentation: nobody has it.
        assert!(!is_direct(Ipv4Addr::new(192, 0, 2, 1)));
    }
}
