//! Checks that this process reaches the ports that the engine publishes. They are published on the loopback address
//! of the engine's host. If the tests run in a container with its own network, its loopback address is another one.
//!
//! A refused connection alone proves nothing: the service may not listen yet, and a port forwarder of a virtual machine
//! may be late. So nothing is concluded outside of a container. In a container of the same engine, one refused
//! connection to the engine's proxy is enough. In any other container, the service must listen first.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

use super::diagnosis::listening;
use super::identity::OwnContainer;
use crate::engine::{Engine, NetworkOf, PublishedPort};
use crate::readiness::sockets::Reach;
use crate::{Error, ErrorKind};

/// The deadline of a connection. Nothing is concluded after it.
const CONNECT: Duration = Duration::from_secs(1);
/// The pause between two checks whether the service listens.
const PACE: Duration = Duration::from_millis(200);
/// The number of containers that may use each other's network in a row.
const CHAIN: usize = 8;

/// The result for a run's engine.
#[derive(Debug, Default)]
pub(super) struct HostPorts(OnceCell<()>);

/// A started container and its published ports.
#[derive(Clone, Copy)]
pub(super) struct Published<'a> {
    pub(super) engine: &'a Engine,
    pub(super) container: &'a str,
    pub(super) ports: &'a [PublishedPort],
    /// Whether this process reaches the container's own address.
    pub(super) direct: bool,
}

impl HostPorts {
    /// Checks that the ports of a started container are not known to be out of reach, without waiting for its service.
    ///
    /// # Errors
    ///
    /// Returns an error if they are out of reach.
    pub(super) async fn check(
        &self,
        published: Published<'_>,
        own: Option<OwnContainer<'_>>,
    ) -> Result<(), Error> {
        if let Some(own @ OwnContainer::OfEngine(id)) = own
            && self.is_unknown(published)
            && let Some(port) = published.ports.first()
            && has_own_network(published.engine, id).await
            && self.is_refused(port).await
        {
            return Err(other_loopback(published.engine, own));
        }
        Ok(())
    }

    /// Waits until the ports are known to be out of reach because the service listens. It never returns if they are in
    /// reach.
    pub(super) async fn out_of_reach(
        &self,
        published: Published<'_>,
        own: Option<OwnContainer<'_>>,
    ) -> Error {
        if let Some(own @ OwnContainer::Other) = own {
            while self.is_unknown(published) {
                let Published {
                    engine, container, ..
                } = published;
                let Some(listening) = listening::ports(engine, container).await else {
                    break;
                };
                let is_served =
                    |port: &&PublishedPort| listening.reach(port.container) == Some(Reach::Ipv4);
                if let Some(port) = published.ports.iter().find(is_served)
                    && self.is_refused(port).await
                {
                    return other_loopback(published.engine, own);
                }
                sleep(PACE).await;
            }
        }
        std::future::pending().await
    }

    fn is_unknown(&self, published: Published<'_>) -> bool {
        !published.direct && !self.0.initialized() && !published.ports.is_empty()
    }

    /// Whether a connection is refused. A connection that succeeds proves that all ports of the run are in reach.
    async fn is_refused(&self, port: &PublishedPort) -> bool {
        let address = SocketAddr::new(port.host_ip, port.host);
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                let _ = self.0.set(());
                false
            }
            Ok(Err(error)) => error.kind() == std::io::ErrorKind::ConnectionRefused,
            Err(_) => false,
        }
    }
}

/// Whether the engine says that a container does not use the network of the engine's host.
async fn has_own_network(engine: &Engine, container: &str) -> bool {
    let mut id = container.to_owned();
    for _ in 0..CHAIN {
        match engine.inspect(&id).await.map(|info| info.network) {
            Ok(NetworkOf::Own) => return true,
            Ok(NetworkOf::Container(other)) => id = other,
            Ok(NetworkOf::Host | NetworkOf::Unknown) | Err(_) => return false,
        }
    }
    false
}

fn other_loopback(engine: &Engine, own: OwnContainer<'_>) -> Error {
    let address = &engine.info().address;
    let what = format!("the tests cannot reach the ports that the engine at `{address}` publishes");
    Error::new(ErrorKind::Engine, what).with(|report| {
        report.details.push(format!(
            "{} with a network of its own, and the ports are on the loopback address of the engine's host",
            own.describe()
        ));
        report.help = Some(
            "run the container of the tests on the network of that host, such as with `docker run --network host ..`, \
             or run the tests on the host"
                .to_owned(),
        );
    })
}
