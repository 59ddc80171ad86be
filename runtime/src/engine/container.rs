//! Containers: what is asked of an engine about them, and what it says.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use seatrial_model::Ulimit;
use serde::{Deserialize, Serialize};

use super::network::Attachment;

/// A container to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerSpec {
    pub(crate) name: String,
    /// Reference or id of an image that the engine has.
    pub(crate) image: String,
    pub(crate) hostname: Option<String>,
    pub(crate) entrypoint: Option<Vec<String>>,
    pub(crate) command: Option<Vec<String>>,
    /// `NAME=value`.
    pub(crate) env: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) workdir: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) ports: Vec<PublishedPort>,
    /// `None` for no network at all, unless `joins` names one.
    pub(crate) attachment: Option<Attachment>,
    /// A running container whose network namespace this one shares: its addresses, ports and host entries. There is no
    /// `attachment` then, and there are no `ports`, `hosts` and `hostname` of its own.
    pub(crate) joins: Option<String>,
    /// Host names with their addresses (or `host-gateway`), for `/etc/hosts`.
    pub(crate) hosts: Vec<(String, String)>,
    pub(crate) mounts: Vec<MountSpec>,
    pub(crate) memory: Option<u64>,
    pub(crate) shm_size: Option<u64>,
    pub(crate) ulimits: Vec<Ulimit>,
    pub(crate) cap_add: Vec<String>,
    pub(crate) privileged: bool,
    pub(crate) platform: Option<String>,
    pub(crate) stop_signal: Option<String>,
}

/// A port of a container's, published on the engine's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublishedPort {
    pub(crate) container: u16,
    pub(crate) host_ip: IpAddr,
    /// 0 in a [`ContainerSpec`] lets the engine choose.
    pub(crate) host: u16,
}

/// Something mounted in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MountSpec {
    /// A file or directory of the engine's host.
    Bind {
        from: String,
        at: String,
        read_only: bool,
    },
    /// A volume, by name.
    Volume { name: String, at: String },
    /// A new volume that is removed with the container.
    Anonymous { at: String },
    /// A file system in memory.
    Tmpfs { at: String, size: Option<u64> },
}

impl MountSpec {
    /// Where it is in the container.
    pub(crate) fn at(&self) -> &str {
        match self {
            Self::Bind { at, .. }
            | Self::Volume { at, .. }
            | Self::Anonymous { at }
            | Self::Tmpfs { at, .. } => at,
        }
    }
}

/// What a container is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerInfo {
    pub(crate) running: bool,
    pub(crate) paused: bool,
    pub(crate) exit_code: Option<i64>,
    /// Whether the engine knows that memory was the reason. It may learn so late, or never.
    pub(crate) out_of_memory: bool,
    pub(crate) ports: Vec<PublishedPort>,
    /// Its addresses on the networks that it is attached to, while it runs.
    pub(crate) addresses: Vec<Ipv4Addr>,
    /// Its main process as the engine's machine numbers it, while it runs.
    pub(crate) process: Option<u32>,
    /// Where its output goes, by the engine's name for it; empty where it does not say.
    pub(crate) log_driver: String,
    /// Whose network it has.
    pub(crate) network: NetworkOf,
}

/// Whose network a container has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum NetworkOf {
    /// One of its own.
    Own,
    /// That of the engine's host.
    Host,
    /// That of another container, by its id.
    Container(String),
    /// The engine does not say.
    #[default]
    Unknown,
}

/// A container, as a list of them shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerListing {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) running: bool,
    pub(crate) labels: BTreeMap<String, String>,
}
