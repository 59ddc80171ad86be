//! One deletion of an endpoint at a time, for engines that count endpoints.
//!
//! Docker before 28 keeps a counter of endpoints for each network and changes it without a lock when an endpoint is
//! deleted (moby#42119, moby#43286; the counter is gone since moby#49736). Two deletions beside a third change can leave
//! it too high for ever: then nobody can remove the network until the daemon restarts. So whatever deletes an endpoint of
//! a network here waits for its turn on that network. Where a process ends by itself there is no turn to wait for.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bollard::query_parameters::InspectContainerOptions;
use tokio::sync::OwnedMutexGuard;

use super::Docker;
use super::errors::{During, failed};
use crate::engine::{EngineError, EngineInfo};

/// The first version of Docker that does not count.
const COUNTS_NO_MORE: u32 = 28;

/// How long the turn is kept for a service that takes its time to stop: others are not held up for the whole of its
/// grace period.
const STOPS_WITHIN: Duration = Duration::from_secs(1);

/// Whose turn it is, for each network.
#[derive(Debug)]
pub(super) struct Endpoints {
    /// Whether the engine counts.
    pub(super) counted: bool,
    turns: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

/// A turn on a network. Dropping it ends it.
pub(super) struct Turn {
    _held: Option<OwnedMutexGuard<()>>,
}

impl Endpoints {
    pub(super) fn of(engine: &EngineInfo) -> Self {
        Self {
            counted: engine.name == "docker" && counts(&engine.version),
            turns: Mutex::default(),
        }
    }

    /// Waits for the turn on the network of this id, where there is need to.
    pub(super) async fn turn(&self, network: &str) -> Turn {
        if !self.counted {
            return Turn { _held: None };
        }
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let known = turns.get(network).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let turn = Arc::default();
                turns.insert(network.to_owned(), Arc::downgrade(&turn));
                turn
            })
        };
        Turn {
            _held: Some(turn.lock_owned().await),
        }
    }
}

/// Whether a version of Docker counts endpoints. One that is not understood may be any.
fn counts(version: &str) -> bool {
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    major.is_none_or(|major: u32| major < COUNTS_NO_MORE)
}

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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn engine(name: &str, version: &str) -> Endpoints {
        Endpoints::of(&EngineInfo {
            name: name.to_owned(),
            version: version.to_owned(),
            ..EngineInfo::default()
        })
    }

    #[test]
    fn only_docker_before_28_counts() {
        assert!(engine("docker", "20.10.24+dfsg1").counted);
        assert!(engine("docker", "27.5.1").counted);
        assert!(engine("docker", "dev").counted);
        assert!(!engine("docker", "28.0.0").counted);
        assert!(!engine("docker", "29.1.2-rd").counted);
        assert!(!engine("podman", "4.3.1").counted);
    }

    #[tokio::test]
    async fn turns_on_one_network_come_one_after_another() {
        let endpoints = engine("docker", "20.10.24");
        let first = endpoints.turn("a").await;
        let _other = endpoints.turn("b").await;
        let mut second = std::pin::pin!(endpoints.turn("a"));
        assert!((&mut second).now_or_never().is_none(), "it has to wait");
        drop(first);
        second.await;
        drop(endpoints.turn("a").await);
        assert!(
            endpoints.turns.lock().unwrap().len() <= 2,
            "those that are over are forgotten"
        );
    }
}
