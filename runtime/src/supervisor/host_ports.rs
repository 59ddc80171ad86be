//! Whether the ports that the engine publishes are reached from here. They are published on the loopback address of the
//! engine's host, which is another's where the tests run in a container with a network of its own.
//!
//! A connection that is refused does not show it by itself: a service may not listen yet, and what forwards ports out of a virtual
//! machine may be late. So nothing is concluded outside of a container; in one that the engine itself has, a single
//! refused connection to its proxy is enough, and in another the service has to listen.

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

/// How long a connection may take before nothing is concluded from it.
const CONNECT: Duration = Duration::from_secs(1);
/// The pace at which is looked whether a service listens.
const PACE: Duration = Duration::from_millis(200);
/// How many containers may use each other's network in a row.
const CHAIN: usize = 8;

/// What is known of a run's engine.
#[derive(Debug, Default)]
pub(super) struct HostPorts(OnceCell<()>);

/// A container that was started, and what is published of it.
#[derive(Clone, Copy)]
pub(super) struct Published<'a> {
    pub(super) engine: &'a Engine,
    pub(super) container: &'a str,
    pub(super) ports: &'a [PublishedPort],
    /// Whether its own address is reachable from this process.
    pub(super) direct: bool,
}

impl HostPorts {
    /// Sees that the ports of a container that was started are not known to be out of reach, as far as that is told without
    /// waiting for its service.
    ///
    /// # Errors
    ///
    /// They are.
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

    /// Waits until its ports are known to be out of reach because its service listens, which is for ever where they are not.
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

    /// Whether a connection is refused. Where one is made, all of the run's are known to be in reach.
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

/// Whether the engine says that a container does not have the network of the engine's host.
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
            "give the container that runs the tests the network of that host, such as with `docker run --network host ..`, \
             or run the tests on the host"
                .to_owned(),
        );
    })
}
