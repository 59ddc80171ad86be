//! Networks of runs that are over. Docker before 28 may count containers on a network that are not there, and does not let
//! go of it (see `engine/docker/endpoints.rs`). Such a network works like any other, so a run takes one of them rather than
//! leave one more behind.
//!
//! Nothing is taken from anybody who may live: the owner must be dead for certain, no container may be attached, and
//! among several who find the same network the kernel decides.

use std::sync::Arc;

use super::addresses::Network;
use super::claim::Claim;
use super::subnet::PREFIX;
use crate::engine::{Engine, EngineError, EngineErrorKind, NetworkInfo};
use crate::run::{Life, Owner};
use crate::supervisor::identity::OWNER;

/// How many networks are looked at before a new one is made.
const LOOKED_AT: usize = 4;

/// Removes a network whose owner is dead. One that another run has taken over, and one that the engine does not let go of,
/// stays.
///
/// # Errors
///
/// Where the engine does not remove it for any other reason.
pub(crate) async fn remove(engine: &Engine, network: &str) -> Result<(), EngineError> {
    let Some(_claim) = Claim::on(network) else {
        return Ok(());
    };
    // What is on it belongs to others, such as a service that is kept.
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

/// A network that a run before had to give up. One that the engine has let go of meanwhile is removed.
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
            // Gone; or the engine has troubles which whoever comes next tells of.
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

/// Whether there are containers that are on it, or that may yet be: of the same owner, and not swept yet.
async fn is_in_use(engine: &Engine, network: &NetworkInfo) -> bool {
    let (attached, containers) =
        tokio::join!(engine.attached(&network.id), engine.containers(OWNER));
    let owner = network.labels.get(OWNER);
    let has_none = attached.is_ok_and(|ids| ids.is_empty())
        && containers.is_ok_and(|all| all.iter().all(|it| it.labels.get(OWNER) != owner));
    !has_none
}
