//! The addresses of a run's network. A container gets its host number before the subnet is chosen.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::claim::Claim;
use super::subnet::PREFIX;
use crate::engine::Subnet;

/// A container's host number in the subnet. It is assigned before the subnet is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::supervisor) struct HostNumber(u32);

impl HostNumber {
    /// The network's own number, which no container has.
    pub(in crate::supervisor) const NONE: Self = Self(0);
}

/// The network, once it exists.
#[derive(Clone, Debug)]
pub(in crate::supervisor) struct Network {
    pub(in crate::supervisor) id: String,
    pub(in crate::supervisor) name: String,
    pub(super) subnet: Subnet,
    /// The claim that keeps others from taking the network as well, if it was another run's.
    pub(super) claim: Option<Arc<Claim>>,
}

/// Assigns the numbers. They are not reused: a network has more of them than a run has containers. A clone assigns from the
/// same ones.
#[derive(Clone, Debug)]
pub(in crate::supervisor) struct Hosts(Arc<AtomicU32>);

impl Hosts {
    pub(in crate::supervisor) fn new() -> Self {
        // The network's own address and the gateway's come first.
        Self(Arc::new(AtomicU32::new(2)))
    }

    pub(in crate::supervisor) fn next(&self) -> HostNumber {
        let hosts = (1 << (32 - PREFIX)) - 3;
        HostNumber(2 + (self.0.fetch_add(1, Ordering::Relaxed) - 2) % hosts)
    }
}

impl Network {
    /// A network that no engine has.
    #[cfg(test)]
    pub(in crate::supervisor) fn of_subnet(subnet: Subnet) -> Self {
        Self {
            id: "id".to_owned(),
            name: "network".to_owned(),
            subnet,
            claim: None,
        }
    }

    pub(in crate::supervisor) fn address(&self, host: HostNumber) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.subnet.address) + host.0)
    }

    pub(in crate::supervisor) fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.subnet.address) + 1)
    }
}
