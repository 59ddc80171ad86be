//! Chooses the ports of the host on which the ports of services are published.
//!
//! They are not left to the engine, so that a service keeps its port when it restarts. The default range is below the
//! kernel's range for outgoing connections.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::PublishedPort;
use crate::{Error, ErrorKind};

/// The error for a port that cannot be published.
pub(super) fn none_free(port: u16, range: &RangeInclusive<u16>) -> Error {
    let what = format!(
        "cannot publish port {port}: no port from {} to {} is free on this machine",
        range.start(),
        range.end()
    );
    Error::new(ErrorKind::Start, what).with(|report| {
        report.help = Some(
            "stop what listens there, or choose another range with `ports = \"20000-29999\"` in seatrial.toml".to_owned(),
        );
    })
}

/// The ports that are in use by this run. A clone has the same ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Ports(Arc<Mutex<BTreeSet<u16>>>);

/// Published ports, until nothing uses them any more.
pub(super) struct HeldPorts {
    ports: Ports,
    held: Vec<u16>,
}

impl HeldPorts {
    pub(super) fn new(ports: Ports, published: &[PublishedPort]) -> Self {
        let held = published.iter().map(|port| port.host).collect();
        Self { ports, held }
    }
}

impl Drop for HeldPorts {
    fn drop(&mut self) {
        self.ports.put_back(self.held.drain(..));
    }
}

impl Ports {
    /// Publishes each of these ports on a free port of this machine's loopback address.
    ///
    /// # Errors
    ///
    /// Returns the port for which none of the range is free.
    pub(super) fn publish(
        &self,
        ports: impl IntoIterator<Item = u16>,
        range: &RangeInclusive<u16>,
    ) -> Result<Vec<PublishedPort>, u16> {
        let mut published: Vec<PublishedPort> = Vec::new();
        for container in ports {
            let Some(host) = self.take(range) else {
                self.put_back(published.iter().map(|port| port.host));
                return Err(container);
            };
            published.push(PublishedPort {
                container,
                host_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
                host,
            });
        }
        Ok(published)
    }

    /// A port on which nobody listens at this moment, or `None` if all are taken. Somebody may take it before the
    /// engine does. The engine then reports an error, and the caller asks for another port.
    fn take(&self, range: &RangeInclusive<u16>) -> Option<u16> {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = u64::from(range.end().checked_sub(*range.start())?) + 1;
        let begin = RandomState::new().build_hasher().finish() % count;
        (0..count)
            .filter_map(|step| {
                u16::try_from(u64::from(*range.start()) + (begin + step) % count).ok()
            })
            .find(|port| {
                !given.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()
            })
            .inspect(|port| {
                given.insert(*port);
            })
    }

    /// Returns ports that are no longer published.
    pub(super) fn put_back(&self, ports: impl IntoIterator<Item = u16>) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for port in ports {
            given.remove(&port);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_each_port_once_and_none_that_is_listened_on() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let busy = listener.local_addr().expect("an address").port();
        let ports = Ports::default();
        assert_eq!(ports.take(&(busy..=busy)), None);
        drop(listener);
        assert_eq!(ports.take(&(busy..=busy)), Some(busy));
        assert_eq!(ports.take(&(busy..=busy)), None);
        ports.put_back([busy]);
        assert_eq!(ports.take(&(busy..=busy)), Some(busy));
    }
}
