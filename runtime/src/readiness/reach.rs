//! How this process reaches a container's port, and connections to it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::subject::Subject;

/// The deadline of a connection to the container's own address. On a bridge of this machine, a connection is made or
/// refused within microseconds. After a lost packet TCP waits a second before the next one, and the next attempt is as
/// fast.
const DIRECT_CONNECT: Duration = Duration::from_secs(1);

/// The deadline of a connection through a published port, whose proxy may be in a virtual machine.
const PUBLISHED_CONNECT: Duration = Duration::from_secs(5);

/// Whether this process can reach containers at their own addresses on the network with this gateway, that is, whether
/// the network's bridge is on the network stack of this process. It is not if the engine is rootless, in a virtual
/// machine or on another host, or if this process runs in a container.
///
/// The source of traffic to one of a machine's own addresses is that address itself. The kernel tells the source
/// without sending anything.
pub(crate) fn is_direct(gateway: Ipv4Addr) -> bool {
    let source = || -> io::Result<SocketAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // The discard port. Nothing is sent to it.
        socket.connect((gateway, 9))?;
        socket.local_addr()
    };
    source().is_ok_and(|source| source.ip() == gateway)
}

/// Where this process reaches a port of the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The container's own address.
    Direct(SocketAddr),
    /// The address at which the engine publishes the port.
    Published(String, u16),
}

impl Target {
    /// # Errors
    ///
    /// Returns a message if the port is only reachable through the engine, which does not publish it.
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
        // The name could resolve to an address on which nothing is published.
        let host = match subject.engine.info().published_host.as_str() {
            "localhost" => published.host_ip.to_string(),
            host => host.to_owned(),
        };
        Ok(Self::Published(host, published.host))
    }

    /// # Errors
    ///
    /// Returns a message with the reason if there is no connection.
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

/// The message of a refused connection.
pub(super) const REFUSED: &str = "connection refused";

/// A message for an I/O error.
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
        // Nobody has this address: it is reserved for documentation.
        assert!(!is_direct(Ipv4Addr::new(192, 0, 2, 1)));
    }
}
