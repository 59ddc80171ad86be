//! Abandoned networks of runs that are over. Docker before 28 may count containers on a network that do not exist,
//! and then cannot remove the network (see `engine/docker/endpoints.rs`). Such a network works like any other, so a run
//! reuses one instead of leaving one more behind.
//!
//! Nothing is taken from an owner who may live: the owner must be dead for certain, and no container may be attached.
//! The kernel decides among several runs that find the same network.

use std::sync::Arc;

use super::addresses::Network;
use super::claim::Claim;
use super::subnet::PREFIX;
use crate::engine::{Engine, EngineError, EngineErrorKind, NetworkInfo};
use crate::run::{Life, Owner};
use crate::supervisor::identity::OWNER;

/// How many networks are checked before a new one is made.
const LOOKED_AT: usize = 4;

/// Removes a network whose owner is dead. A network that another run has taken over, or that the engine cannot remove
/// because of its counter, stays.
///
/// # Errors
///
/// Returns an error if the engine does not remove it for any other reason.
pub(crate) async fn remove(engine: &Engine, network: &str) -> Result<(), EngineError> {
    let Some(_claim) = Claim::on(network) else {
        return Ok(());
    };
    // The containers on it belong to others, such as a kept service.
    for container in attached(engine, network).await? {
        match engine.disconnect(&container, network).await {
            Err(error) if error.kind != EngineErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    match engine.remove_network(network).await {
        Err(error) if error.kind == EngineErrorKind::Conflict => {
            match attached(engine, network).await?.is_empty() {
                true => Ok(()),
                false => Err(error),
            }
        }
        outcome => outcome,
    }
}

async fn attached(engine: &Engine, network: &str) -> Result<Vec<String>, EngineError> {
    match engine.attached(network).await {
        Err(error) if error.kind == EngineErrorKind::NotFound => Ok(Vec::new()),
        outcome => outcome,
    }
}

/// A network that an earlier run had to abandon. A network that the engine can remove by now is removed.
pub(super) async fn adopt(engine: &Engine, known: &[NetworkInfo]) -> Option<Network> {
    let abandoned = known
        .iter()
        .filter(|network| {
            let owner = network.labels.get(OWNER);
            owner.is_some_and(|owner| Owner::life_of(owner) == Life::Ended)
        })
        .take(LOOKED_AT);
    for network in abandoned {
        let Some(claim) = Claim::on(&network.id) else {
            continue;
        };
        if is_in_use(engine, network).await {
            continue;
        }
        match engine.remove_network(&network.id).await {
            Err(error) if error.kind == EngineErrorKind::Conflict => {}
            // The network is gone, or the engine has a problem that the next call reports.
            _ => continue,
        }
        if let [subnet] = network.subnets[..]
            && subnet.prefix == PREFIX
        {
            return Some(Network {
                id: network.id.clone(),
                name: network.name.clone(),
                subnet,
                claim: Some(Arc::new(claim)),
            });
        }
    }
    None
}

/// Whether containers are on the network or may still be: those of the same owner that are not swept yet.
async fn is_in_use(engine: &Engine, network: &NetworkInfo) -> bool {
    let (attached, containers) =
        tokio::join!(engine.attached(&network.id), engine.containers(OWNER));
    let owner = network.labels.get(OWNER);
    let has_none = attached.is_ok_and(|ids| ids.is_empty())
        && containers.is_ok_and(|all| all.iter().all(|it| it.labels.get(OWNER) != owner));
    !has_none
}
