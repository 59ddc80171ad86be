//! Containers: what an engine is asked about them, and what it answers.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use seatrial_model::Ulimit;
use serde::{Deserialize, Serialize};

use super::network::Attachment;

/// A container to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerSpec {
    pub(crate) name: String,
    /// Reference or id of an image in the engine's store.
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
    /// `None` without a network, unless `joins` names a container.
    pub(crate) attachment: Option<Attachment>,
    /// A running container whose network namespace this one shares, with its addresses, ports and host entries. Such a
    /// container has no `attachment`, `ports`, `hosts` or `hostname` of its own.
    pub(crate) joins: Option<String>,
    /// Whether the container's process has an input, see [`Engine::converse`](super::Engine::converse).
    pub(crate) has_input: bool,
    /// Host names with their addresses (or `host-gateway`), for `/etc/hosts`.
    pub(crate) hosts: Vec<(String, String)>,
    pub(crate) mounts: Vec<MountSpec>,
    pub(crate) memory: Option<u64>,
    pub(crate) shm_size: Option<u64>,
    pub(crate) ulimits: Vec<Ulimit>,
    pub(crate) sysctls: BTreeMap<String, String>,
    pub(crate) cap_add: Vec<String>,
    pub(crate) privileged: bool,
    pub(crate) platform: Option<String>,
    pub(crate) stop_signal: Option<String>,
}

/// A container's port that is published on the engine's host.
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
    /// The path in the container.
    pub(crate) fn at(&self) -> &str {
        match self {
            Self::Bind { at, .. }
            | Self::Volume { at, .. }
            | Self::Anonymous { at }
            | Self::Tmpfs { at, .. } => at,
        }
    }

    /// Whether a container may write files of the engine's host by it.
    pub(crate) fn may_change_the_host(&self) -> bool {
        matches!(
            self,
            Self::Bind {
                read_only: false,
                ..
            }
        )
    }
}

/// The state of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerInfo {
    pub(crate) running: bool,
    pub(crate) paused: bool,
    pub(crate) exit_code: Option<i64>,
    /// Whether the engine knows that the container ran out of memory. It may learn this late, or never.
    pub(crate) out_of_memory: bool,
    pub(crate) ports: Vec<PublishedPort>,
    /// The container's addresses on its networks, while it runs.
    pub(crate) addresses: Vec<Ipv4Addr>,
    /// The container's main process in the process ids of the engine's machine, while it runs.
    pub(crate) process: Option<u32>,
    /// The engine's name of the log driver. Empty if the engine does not name one.
    pub(crate) log_driver: String,
    /// The network namespace that the container uses.
    pub(crate) network: NetworkOf,
}

/// The network namespace that a container uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum NetworkOf {
    /// The container's own.
    Own,
    /// The one of the engine's host.
    Host,
    /// The one of another container, by its id.
    Container(String),
    /// The engine does not name it.
    #[default]
    Unknown,
}

/// A container in a list of containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerListing {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) running: bool,
    pub(crate) labels: BTreeMap<String, String>,
}
