//! One deletion of an endpoint at a time, for engines that count endpoints.
//!
//! Docker before 28 keeps a counter of endpoints for each network and changes it without a lock when an endpoint is
//! deleted (moby#42119, moby#43286; the counter is gone since moby#49736). Two deletions beside a third change can leave
//! it too high for ever: then nobody can remove the network until the daemon restarts. So whatever deletes an endpoint of
//! a network here waits for its turn on that network. Where a process ends by itself there is no turn to wait for.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bollard::query_parameters::InspectContainerOptions;

use super::client::Docker;
use super::errors::{During, failed};
use crate::engine::error::EngineError;

/// How long the turn is kept for a service that takes its time to stop: others are not held up for the whole of its
/// grace period.
const STOPS_WITHIN: Duration = Duration::from_secs(1);

impl Docker {
    /// Does what ends a container's process, and with it its endpoints, in its turn.
    pub(super) async fn ending(
        &self,
        id: &str,
        ending: impl Future<Output = Result<(), EngineError>>,
    ) -> Result<(), EngineError> {
        if !self.endpoints.counted {
            return ending.await;
        }
        let mut turns = Vec::new();
        // One that cannot be inspected cannot be ended: the engine says why.
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
        // The engine tells of the end before it deletes the endpoints, and answers this when it has deleted them.
        let _ = self.endpoints_of(id).await;
        outcome
    }

    /// Deletes the endpoints of a container that is about to be removed. What fails here fails again, and is told, where
    /// the container is removed.
    pub(super) async fn give_up_endpoints(&self, id: &str) {
        if !self.endpoints.counted {
            return;
        }
        for network in self.endpoints_of(id).await.unwrap_or_default() {
            let _turn = self.endpoints.turn(&network).await;
            let _ = self.delete_endpoint(id, &network, true).await;
        }
    }

    /// The ids of the networks that a container has endpoints on, in an order that all callers share.
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
            // Before its first start and after its end a container has the settings for one only.
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
