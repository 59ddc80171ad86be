//! One deletion of an endpoint at a time, for engines that count endpoints.
//!
//! Docker before 28 keeps a counter of endpoints for each network and changes it without a lock when an endpoint is
//! deleted (moby#42119, moby#43286; moby#49736 removed the counter). Two deletions beside a third change can leave the
//! counter too high for ever. Nobody can remove the network then until the daemon restarts. So every call here that
//! deletes an endpoint waits for its turn on the network. A process that ends by itself does not wait for a turn.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bollard::query_parameters::InspectContainerOptions;

use super::client::Docker;
use super::errors::{During, failed};
use crate::engine::error::EngineError;

/// How long a service that is slow to stop keeps its turn. Others do not wait for its whole grace period.
const STOPS_WITHIN: Duration = Duration::from_secs(1);

impl Docker {
    /// Ends a container's process, and with it the container's endpoints, in turn.
    pub(super) async fn ending(
        &self,
        id: &str,
        ending: impl Future<Output = Result<(), EngineError>>,
    ) -> Result<(), EngineError> {
        if !self.endpoints.counted {
            return ending.await;
        }
        let mut turns = Vec::new();
        // A container that cannot be inspected cannot be ended either: the engine says why.
        for network in self.endpoints_of(id).await.unwrap_or_default() {
            turns.push(self.endpoints.turn(&network).await);
        }
        let mut ending = std::pin::pin!(ending);
        let outcome = match tokio::time::timeout(STOPS_WITHIN, &mut ending).await {
            Ok(outcome) => outcome,
            Err(_) => {
                turns.clear();
                ending.await
            }
        };
        // The engine reports the end before it deletes the endpoints. It answers this call after it has deleted them.
        let _ = self.endpoints_of(id).await;
        outcome
    }

    /// Deletes the endpoints of a container before its removal. Errors are ignored here, as the removal fails with the
    /// same error.
    pub(super) async fn delete_endpoints(&self, id: &str) {
        if !self.endpoints.counted {
            return;
        }
        for network in self.endpoints_of(id).await.unwrap_or_default() {
            let _turn = self.endpoints.turn(&network).await;
            let _ = self.delete_endpoint(id, &network, true).await;
        }
    }

    /// The ids of the networks on which a container has endpoints, in an order that all callers share.
    async fn endpoints_of(&self, id: &str) -> Result<Vec<String>, EngineError> {
        let found = self
            .api
            .inspect_container(id, None::<InspectContainerOptions>)
            .await
            .map_err(failed(During::Other, "inspect the container"))?;
        let networks = found
            .network_settings
            .and_then(|settings| settings.networks);
        let networks: HashSet<String> = networks
            .into_iter()
            .flat_map(HashMap::into_values)
            // Before its first start and after its end, a container has only the settings of an endpoint.
            .filter(|endpoint| {
                endpoint
                    .endpoint_id
                    .as_ref()
                    .is_some_and(|id| !id.is_empty())
            })
            .filter_map(|endpoint| endpoint.network_id)
            .collect();
        let mut networks: Vec<String> = networks.into_iter().collect();
        networks.sort();
        Ok(networks)
    }
}
