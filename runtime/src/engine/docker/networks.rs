//! Networks: creates them with a given subnet, attaches and detaches containers, and removes networks.

use bollard::models::{
    Ipam, IpamConfig, NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest,
};
use bollard::query_parameters::{InspectNetworkOptions, ListNetworksOptions};

use super::client::Docker;
use super::containers::endpoint;
use super::errors::{During, failed};
use crate::engine::error::{EngineError, EngineErrorKind};
use crate::engine::network::{Attachment, NetworkInfo, NetworkSpec, Subnet};

impl Docker {
    /// Older engines accept a name twice, but a subnet only once. So callers identify networks by their ids.
    pub(in crate::engine) async fn create_network(
        &self,
        network: &NetworkSpec,
    ) -> Result<String, EngineError> {
        let request = NetworkCreateRequest {
            name: network.name.clone(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam {
                config: Some(vec![IpamConfig {
                    subnet: Some(network.subnet.to_string()),
                    ..Default::default()
                }]),
                ..Default::default()
            }),
            labels: Some(network.labels.clone().into_iter().collect()),
            ..Default::default()
        };
        let created = self.api.create_network(request).await.map_err(failed(
            During::Network,
            format_args!("create the network `{}`", network.name),
        ))?;
        Ok(created.id)
    }

    pub(in crate::engine) async fn networks(&self) -> Result<Vec<NetworkInfo>, EngineError> {
        let networks = self
            .api
            .list_networks(None::<ListNetworksOptions>)
            .await
            .map_err(failed(During::Network, "list the networks"))?;
        Ok(networks.into_iter().map(info).collect())
    }

    /// The list of the engine's endpoints, not the engine's counter, as older engines miscount.
    pub(in crate::engine) async fn attached(
        &self,
        network: &str,
    ) -> Result<Vec<String>, EngineError> {
        let found = self
            .api
            .inspect_network(network, None::<InspectNetworkOptions>)
            .await
            .map_err(failed(During::Network, "inspect the network"))?;
        Ok(found.containers.unwrap_or_default().into_keys().collect())
    }

    pub(in crate::engine) async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        let removed = self.api.remove_network(id).await;
        match removed.map_err(failed(During::Network, "remove the network")) {
            Err(error) if error.kind == EngineErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    pub(in crate::engine) async fn connect(
        &self,
        container: &str,
        attachment: &Attachment,
    ) -> Result<(), EngineError> {
        let request = NetworkConnectRequest {
            container: container.to_owned(),
            endpoint_config: Some(endpoint(attachment)),
        };
        self.api
            .connect_network(&attachment.network, request)
            .await
            .map_err(failed(
                During::Network,
                "connect the container to its network",
            ))
    }

    pub(in crate::engine) async fn disconnect(
        &self,
        container: &str,
        network: &str,
    ) -> Result<(), EngineError> {
        let _turn = self.endpoints.turn(network).await;
        self.delete_endpoint(container, network, false).await
    }

    /// Detaches a container without waiting for its turn. `force` detaches it in any state.
    pub(super) async fn delete_endpoint(
        &self,
        container: &str,
        network: &str,
        force: bool,
    ) -> Result<(), EngineError> {
        let request = NetworkDisconnectRequest {
            container: container.to_owned(),
            force: Some(force),
        };
        self.api
            .disconnect_network(network, request)
            .await
            .map_err(failed(
                During::Network,
                "disconnect the container from its network",
            ))
    }
}

fn info(network: bollard::models::Network) -> NetworkInfo {
    let subnets = network.ipam.and_then(|ipam| ipam.config);
    NetworkInfo {
        id: network.id.unwrap_or_default(),
        name: network.name.unwrap_or_default(),
        subnets: subnets
            .into_iter()
            .flatten()
            .filter_map(|config| subnet(&config.subnet?))
            .collect(),
        labels: network.labels.unwrap_or_default().into_iter().collect(),
    }
}

/// Reads `address/prefix`; `None` for IPv6.
fn subnet(text: &str) -> Option<Subnet> {
    let (address, prefix) = text.split_once('/')?;
    Some(Subnet {
        address: address.parse().ok()?,
        prefix: prefix.parse().ok()?,
    })
}
