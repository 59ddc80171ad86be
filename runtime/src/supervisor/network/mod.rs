//! The run's network. Its subnet is our own choice, so that every container's address is known before the container
//! exists.
//!
//! A network that the engine cannot remove is abandoned, and a later run reuses it.

pub(super) mod abandoned;
mod addresses;
mod claim;
mod subnet;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use super::identity::Identity;
use super::reaper::{Reaper, TaskGuard};
use crate::engine::{Engine, EngineError, EngineErrorKind, NetworkSpec, Subnet};
pub(super) use addresses::{HostNumber, Hosts, Network};

/// How long the engine may take to detach containers that end by themselves. A longer time has another cause.
const DETACHED_WITHIN: Duration = Duration::from_secs(5);
/// How long an engine may count containers that it knows not to be attached.
const COUNTED_WITHIN: Duration = Duration::from_millis(500);
/// The pauses between two questions whether they are detached, as the engine does not report it: first short, then
/// longer.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The number of subnets that are tried. Overlaps are checked beforehand, so more than one is tried only in a race.
const ATTEMPTS: usize = 16;

/// A network on a subnet that neither the engine nor, as far as it can be seen, this machine uses: an abandoned one, or
/// a new one. `reaper` removes the result of a creation that was interrupted.
pub(super) async fn create(
    engine: &Engine,
    identity: &Identity,
    name: String,
    reaper: &Reaper,
) -> Result<Network, EngineError> {
    let task_guard = reaper.task_guard();
    let known = engine.networks().await?;
    if let Some(network) = abandoned::adopt(engine, &known).await {
        reaper.journal.created(&thing(&network.name));
        return Ok(network);
    }
    let mut taken: Vec<Subnet> = known.into_iter().flat_map(|known| known.subnets).collect();
    taken.extend(subnet::routed());
    let thing = thing(&name);
    reaper.journal.creating(&thing);
    let mut refused = None;
    for _ in 0..ATTEMPTS {
        let Some(subnet) = subnet::free(&taken, RandomState::new().build_hasher().finish()) else {
            break;
        };
        let spec = NetworkSpec {
            name: name.clone(),
            subnet,
            labels: identity.labels(),
        };
        match engine.create_network(&spec).await {
            Ok(id) => {
                reaper.journal.created(&thing);
                return Ok(Network {
                    id,
                    name,
                    subnet,
                    claim: None,
                });
            }
            Err(error) if error.kind == EngineErrorKind::Conflict => {
                taken.push(subnet);
                refused = Some(error);
            }
            Err(error) if error.kind == EngineErrorKind::Unreachable => {
                tokio::spawn(discard(
                    engine.clone(),
                    spec.name,
                    reaper.clone(),
                    task_guard,
                ));
                return Err(error);
            }
            Err(error) => {
                reaper.journal.removed(&thing);
                return Err(error);
            }
        }
    }
    reaper.journal.removed(&thing);
    Err(refused.unwrap_or_else(|| EngineError {
        kind: EngineErrorKind::Conflict,
        attempt: "create the run's network".to_owned(),
        message: "every subnet of 10.0.0.0/8 and 172.16.0.0/12 is in use".to_owned(),
    }))
}

/// Removes the result of a creation whose answer was lost.
async fn discard(engine: Engine, name: String, reaper: Reaper, task_guard: TaskGuard) {
    let removed = reaper.uncertain(|| remove_named(&engine, &name)).await;
    reaper.removed(&thing(&name), removed);
    drop(task_guard);
}

/// The name of a network in the journal and in reports.
fn thing(name: &str) -> String {
    format!("network {name}")
}

/// Removes the networks of that name. Returns `false` if there is none.
async fn remove_named(engine: &Engine, name: &str) -> Result<bool, EngineError> {
    let mut found = engine.networks().await?;
    found.retain(|network| network.name == name);
    for network in &found {
        engine.remove_network(&network.id).await?;
    }
    Ok(!found.is_empty())
}

/// Removes the network at the end of its run. If the engine counts containers on it without knowing any, only its
/// restart helps, and the network is abandoned to a later run.
pub(super) async fn remove(engine: &Engine, network: &Network, reaper: &Reaper) {
    let removed = try_to_remove(engine, network, reaper).await;
    reaper.removed(&thing(&network.name), removed);
}

async fn try_to_remove(
    engine: &Engine,
    network: &Network,
    reaper: &Reaper,
) -> Result<(), EngineError> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match reaper
            .persistently(|| engine.remove_network(&network.id))
            .await
        {
            Err(error) if error.kind == EngineErrorKind::Conflict => error,
            outcome => return outcome,
        };
        let alone = engine.attached(&network.id).await?.is_empty();
        let given_up = network.claim.is_some() || begun.elapsed() >= COUNTED_WITHIN;
        if alone && given_up {
            return Ok(());
        }
        if begun.elapsed() >= DETACHED_WITHIN {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests;
