//! Whether this machine reaches the containers of a run at their own addresses. If it does, holders of network namespaces
//! publish no port: a container with a published port starts later, and has a proxy before it.
//!
//! The network's bridge says whether to expect it, and the first holder is tried, since a firewall of the machine may be in
//! between.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::engine::Engine;
use crate::readiness::reach::is_direct;

/// The port that is tried. Hardly anything listens on the discard port, and the kernel refuses the connection without
/// the service noticing.
const PORT: u16 = 9;

/// The deadline of the attempt. A bridge of this machine needs microseconds.
const DEADLINE: Duration = Duration::from_secs(3);

/// The result for a run's network.
#[derive(Debug, Default)]
pub(super) struct Reachability(OnceCell<bool>);

impl Reachability {
    /// Whether containers on the network with this gateway are expected to be reached.
    pub(super) fn is_expected(&self, gateway: Ipv4Addr) -> bool {
        self.0.get().copied().unwrap_or(true) && is_direct(gateway)
    }

    /// Whether a started container is reached. Only the first one of a run is tried. One that ended meanwhile shows
    /// nothing.
    pub(super) async fn is_confirmed(
        &self,
        engine: &Engine,
        container: &str,
        address: Ipv4Addr,
    ) -> bool {
        let tried = self.0.get_or_try_init(async || {
            if answers(address, PORT).await {
                return Ok(true);
            }
            match engine.inspect(container).await {
                Ok(info) if info.running => Ok(false),
                _ => Err(()),
            }
        });
        tried.await.copied().unwrap_or(true)
    }
}

/// Whether there is an answer from this address, also one that refuses the connection.
async fn answers(address: Ipv4Addr, port: u16) -> bool {
    match timeout(DEADLINE, TcpStream::connect((address, port))).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => error.kind() == ErrorKind::ConnectionRefused,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_an_accepted_or_a_refused_connection() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        assert!(answers(Ipv4Addr::LOCALHOST, port).await);
        drop(listener);
        assert!(answers(Ipv4Addr::LOCALHOST, port).await);
        // The kernel has no route from a loopback address to another machine's.
        assert!(!answers(Ipv4Addr::BROADCAST, port).await);
    }
}
