//! Networks, and the addresses of containers on them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// A network to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetworkSpec {
    pub(crate) name: String,
    pub(crate) subnet: Subnet,
    pub(crate) labels: BTreeMap<String, String>,
}

/// A network that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetworkInfo {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Its IPv4 subnets.
    pub(crate) subnets: Vec<Subnet>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// An IPv4 subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) address: Ipv4Addr,
    pub(crate) prefix: u8,
}

/// `172.28.0.0/24`.
impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A container's address on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// The network's id or name.
    pub(crate) network: String,
    /// The container's fixed address on the network.
    pub(crate) address: Ipv4Addr,
}
