//! Containers: creates them, changes their state, and removes them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerSummary,
    ContainerSummaryStateEnum as State, EndpointIpamConfig, EndpointSettings, HostConfig,
    HostConfigLogConfig, Mount, MountTmpfsOptions, MountType, NetworkingConfig, PortBinding,
    PortMap, ResourcesUlimits,
};
use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, KillContainerOptions, ListContainersOptions,
    RemoveContainerOptions, StartContainerOptions, StopContainerOptions, WaitContainerOptions,
};
use futures_util::StreamExt;

use super::client::Docker;
use super::errors::{During, failed};
use super::volumes::with_label;
use crate::engine::container::{
    ContainerInfo, ContainerListing, ContainerSpec, MountSpec, NetworkOf, PublishedPort,
};
use crate::engine::error::{EngineError, EngineErrorKind};
use crate::engine::network::Attachment;

/// Where a container's output goes. An engine's default may be a driver that it cannot read, such as `none`, or one
/// that loses lines. Every engine can read this one: Podman treats it as another name of `k8s-file`, and Docker applies
/// the options of its daemon.
const LOG_DRIVER: &str = "json-file";

/// The time that an engine gives for a container that was never started or never ended.
const NEVER: &str = "0001-01-01";

impl Docker {
    pub(in crate::engine) async fn create(
        &self,
        spec: &ContainerSpec,
    ) -> Result<String, EngineError> {
        let options = CreateContainerOptions {
            name: Some(spec.name.clone()),
            platform: spec.platform.clone().unwrap_or_default(),
        };
        let created = self
            .api
            .create_container(Some(options), create_body(spec))
            .await
            .map_err(failed(During::Create, "create the container"))?;
        Ok(created.id)
    }

    pub(in crate::engine) async fn start(&self, id: &str) -> Result<(), EngineError> {
        self.api
            .start_container(id, None::<StartContainerOptions>)
            .await
            .map_err(failed(During::Start, "start the container"))
    }

    pub(in crate::engine) async fn stop(
        &self,
        id: &str,
        grace_period: Option<Duration>,
    ) -> Result<(), EngineError> {
        let options = grace_period.map(|grace_period| StopContainerOptions {
            t: Some(whole_seconds(grace_period)),
            ..Default::default()
        });
        let stopping = async {
            self.api
                .stop_container(id, options)
                .await
                .map_err(failed(During::Other, "stop the container"))
        };
        self.ending(id, stopping).await
    }

    pub(in crate::engine) async fn kill(
        &self,
        id: &str,
        signal: Option<&str>,
    ) -> Result<(), EngineError> {
        let killing = async {
            let options = KillContainerOptions {
                signal: signal.unwrap_or("SIGKILL").to_owned(),
            };
            self.api
                .kill_container(id, Some(options))
                .await
                .map_err(failed(During::Other, "kill the container"))
        };
        match signal {
            // A signal need not end the container.
            Some(_) => killing.await,
            None => self.ending(id, killing).await,
        }
    }

    pub(in crate::engine) async fn pause(&self, id: &str) -> Result<(), EngineError> {
        self.api
            .pause_container(id)
            .await
            .map_err(failed(During::Other, "pause the container"))
    }

    pub(in crate::engine) async fn unpause(&self, id: &str) -> Result<(), EngineError> {
        self.api
            .unpause_container(id)
            .await
            .map_err(failed(During::Other, "unpause the container"))
    }

    pub(in crate::engine) async fn remove(&self, id: &str) -> Result<(), EngineError> {
        // The removal by another process may fail and leave the container to us. More than a few of those are not a
        // race.
        const OTHERS: usize = 5;
        let mut others = 0;
        self.delete_endpoints(id).await;
        loop {
            let options = RemoveContainerOptions {
                v: true,
                force: true,
                link: false,
            };
            let removed = self.api.remove_container(id, Some(options)).await;
            match removed.map_err(failed(During::Other, "remove the container")) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind == EngineErrorKind::NotFound => return Ok(()),
                Err(error)
                    if others < OTHERS
                        && error.kind == EngineErrorKind::Conflict
                        && error.message.contains("already in progress") =>
                {
                    others += 1;
                    self.wait_for_removal(id).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until a removal by another process has ended, with success or not.
    async fn wait_for_removal(&self, id: &str) -> Result<(), EngineError> {
        match self.wait_until(id, "removed").await {
            Err(error) if error.kind != EngineErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(in crate::engine) async fn wait(&self, id: &str) -> Result<i64, EngineError> {
        self.wait_until(id, "not-running").await
    }

    async fn wait_until(&self, id: &str, condition: &str) -> Result<i64, EngineError> {
        let attempt = "wait for the container";
        let options = WaitContainerOptions {
            condition: condition.to_owned(),
        };
        match self.api.wait_container(id, Some(options)).next().await {
            Some(Ok(ended)) => Ok(ended.status_code),
            // Not an error of the call: the process ended with this code.
            Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(failed(During::Other, attempt)(error)),
            None => Err(EngineError {
                kind: EngineErrorKind::Unreachable,
                attempt: attempt.to_owned(),
                message: "the engine ended the connection without an answer".to_owned(),
            }),
        }
    }

    pub(in crate::engine) async fn containers(
        &self,
        label: &str,
    ) -> Result<Vec<ContainerListing>, EngineError> {
        let options = ListContainersOptions {
            all: true,
            filters: Some(with_label(label)),
            ..Default::default()
        };
        let listed = self
            .api
            .list_containers(Some(options))
            .await
            .map_err(failed(During::Other, "list the containers"))?;
        Ok(listed.into_iter().map(listing).collect())
    }

    pub(in crate::engine) async fn inspect(&self, id: &str) -> Result<ContainerInfo, EngineError> {
        let found = self
            .api
            .inspect_container(id, None::<InspectContainerOptions>)
            .await
            .map_err(failed(During::Other, "inspect the container"))?;
        Ok(info(found))
    }
}

fn listing(found: ContainerSummary) -> ContainerListing {
    let names = found.names.unwrap_or_default();
    // `/shop-db`. A container with links has one more name for each.
    let name = names
        .first()
        .map_or("", |name| name.trim_start_matches('/'));
    ContainerListing {
        id: found.id.unwrap_or_default(),
        name: name.to_owned(),
        running: matches!(
            found.state,
            Some(State::RUNNING | State::PAUSED | State::RESTARTING | State::STOPPING)
        ),
        labels: found.labels.unwrap_or_default().into_iter().collect(),
    }
}

fn info(found: ContainerInspectResponse) -> ContainerInfo {
    let state = found.state.unwrap_or_default();
    let running = state.running.unwrap_or_default();
    let ended = !running && state.finished_at.is_some_and(|at| !at.starts_with(NEVER));
    let host = found.host_config.unwrap_or_default();
    let network_of = match host.network_mode.as_deref() {
        None | Some("") => NetworkOf::Unknown,
        Some("host") => NetworkOf::Host,
        Some(mode) => match mode.split_once(':') {
            Some(("container", id)) => NetworkOf::Container(id.to_owned()),
            // Podman: the network of a pod or of a process.
            Some(("ns", _)) => NetworkOf::Unknown,
            _ => NetworkOf::Own,
        },
    };
    let network = found.network_settings.unwrap_or_default();
    let ports = network.ports.unwrap_or_default();
    let endpoints = network.networks.unwrap_or_default();
    let addresses = endpoints.values().filter_map(|endpoint| {
        let address = endpoint.ip_address.as_deref()?;
        address.parse().ok()
    });
    ContainerInfo {
        running,
        paused: state.paused.unwrap_or_default(),
        exit_code: state.exit_code.filter(|_| ended),
        out_of_memory: state.oom_killed.unwrap_or_default(),
        ports: published(&ports),
        addresses: addresses.collect(),
        process: state
            .pid
            .and_then(|pid| u32::try_from(pid).ok())
            .filter(|pid| *pid != 0),
        log_driver: host.log_config.and_then(|log| log.typ).unwrap_or_default(),
        network: network_of,
    }
}

/// The TCP ports that have an address on the host, in ascending order.
fn published(ports: &PortMap) -> Vec<PublishedPort> {
    let mut published: Vec<_> = ports
        .iter()
        .filter_map(|(port, bindings)| {
            let container: u16 = port.strip_suffix("/tcp")?.parse().ok()?;
            Some((container, bindings.as_ref()?))
        })
        .flat_map(|(container, bindings)| {
            bindings.iter().filter_map(move |binding| {
                Some(PublishedPort {
                    container,
                    host_ip: match binding.host_ip.as_deref() {
                        // An empty address stands for all addresses.
                        None | Some("") => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                        Some(ip) => ip.parse().ok()?,
                    },
                    host: binding.host_port.as_deref()?.parse().ok()?,
                })
            })
        })
        .collect();
    published.sort_by_key(|port| (port.container, port.host));
    published
}

fn create_body(spec: &ContainerSpec) -> ContainerCreateBody {
    ContainerCreateBody {
        hostname: spec.hostname.clone(),
        image: Some(spec.image.clone()),
        entrypoint: spec.entrypoint.clone(),
        cmd: spec.command.clone(),
        env: Some(spec.env.clone()),
        user: spec.user.clone(),
        working_dir: spec.workdir.clone(),
        labels: Some(spec.labels.clone().into_iter().collect()),
        exposed_ports: Some(
            spec.ports
                .iter()
                .map(|port| port_key(port.container))
                .collect(),
        ),
        stop_signal: spec.stop_signal.clone(),
        open_stdin: Some(spec.has_input),
        host_config: Some(host_config(spec)),
        networking_config: spec.attachment.as_ref().map(|attachment| NetworkingConfig {
            endpoints_config: Some(HashMap::from([(
                attachment.network.clone(),
                endpoint(attachment),
            )])),
        }),
        ..Default::default()
    }
}

fn host_config(spec: &ContainerSpec) -> HostConfig {
    HostConfig {
        network_mode: Some(match (&spec.attachment, &spec.joins) {
            (Some(attachment), _) => attachment.network.clone(),
            (None, Some(container)) => format!("container:{container}"),
            (None, None) => "none".to_owned(),
        }),
        port_bindings: Some(port_bindings(&spec.ports)),
        extra_hosts: Some(
            spec.hosts
                .iter()
                .map(|(name, ip)| format!("{name}:{ip}"))
                .collect(),
        ),
        mounts: Some(spec.mounts.iter().map(mount).collect()),
        memory: spec.memory.map(signed),
        shm_size: spec.shm_size.map(signed),
        ulimits: Some(
            spec.ulimits
                .iter()
                .map(|limit| ResourcesUlimits {
                    name: Some(limit.name.clone()),
                    soft: Some(limit.soft),
                    hard: Some(limit.hard),
                })
                .collect(),
        ),
        sysctls: Some(spec.sysctls.clone().into_iter().collect()),
        cap_add: Some(spec.cap_add.clone()),
        privileged: Some(spec.privileged),
        auto_remove: Some(false),
        log_config: Some(HostConfigLogConfig {
            typ: Some(LOG_DRIVER.to_owned()),
            config: None,
        }),
        ..Default::default()
    }
}

/// The settings of a container's endpoint on a network.
pub(super) fn endpoint(attachment: &Attachment) -> EndpointSettings {
    EndpointSettings {
        ipam_config: Some(EndpointIpamConfig {
            ipv4_address: Some(attachment.address.to_string()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn port_key(port: u16) -> String {
    format!("{port}/tcp")
}

fn port_bindings(ports: &[PublishedPort]) -> PortMap {
    let mut bindings = PortMap::new();
    for port in ports {
        let binding = PortBinding {
            host_ip: Some(port.host_ip.to_string()),
            // An empty port lets the engine choose.
            host_port: Some(if port.host == 0 {
                String::new()
            } else {
                port.host.to_string()
            }),
        };
        let of_port = bindings.entry(port_key(port.container)).or_default();
        of_port.get_or_insert_default().push(binding);
    }
    bindings
}

/// A mount instead of a bind string, as engines create a missing host path of a bind string.
fn mount(mount: &MountSpec) -> Mount {
    match mount {
        MountSpec::Bind {
            from,
            at,
            read_only,
        } => Mount {
            typ: Some(MountType::BIND),
            source: Some(from.clone()),
            target: Some(at.clone()),
            read_only: Some(*read_only),
            ..Default::default()
        },
        MountSpec::Volume { name, at } => Mount {
            typ: Some(MountType::VOLUME),
            source: Some(name.clone()),
            target: Some(at.clone()),
            ..Default::default()
        },
        MountSpec::Anonymous { at } => Mount {
            typ: Some(MountType::VOLUME),
            target: Some(at.clone()),
            ..Default::default()
        },
        MountSpec::Tmpfs { at, size } => Mount {
            typ: Some(MountType::TMPFS),
            target: Some(at.clone()),
            tmpfs_options: Some(MountTmpfsOptions {
                size_bytes: size.map(signed),
                mode: Some(TMPFS_MODE),
                ..Default::default()
            }),
            ..Default::default()
        },
    }
}

/// Rounded up to whole seconds, so that nothing is killed too early. The API has a signed number.
fn whole_seconds(duration: Duration) -> i32 {
    let begun = u64::from(duration.subsec_nanos() > 0);
    i32::try_from(duration.as_secs().saturating_add(begun)).unwrap_or(i32::MAX)
}

/// Everyone may write, as in `/tmp`. This is the engines' default mode of a tmpfs.
const TMPFS_MODE: i64 = 0o1777;

/// The API has signed numbers of bytes.
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
