//! Turns for the deletion of a network's endpoints, for engines that count endpoints.
//!
//! [`endpoints`](super::endpoints) decides which requests need a turn, and why.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

use crate::engine::info::EngineInfo;

/// The first version of Docker that does not count endpoints.
const FIRST_WITHOUT_COUNTER: u32 = 28;

/// The turns of each network.
#[derive(Debug)]
pub(super) struct Endpoints {
    /// Whether the engine counts endpoints.
    pub(super) counted: bool,
    turns: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

/// A turn on a network, until it is dropped.
pub(super) struct Turn {
    _held: Option<OwnedMutexGuard<()>>,
}

impl Endpoints {
    pub(super) fn of(engine: &EngineInfo) -> Self {
        let counted = engine.name == "docker" && counts(&engine.version);
        #[cfg(test)]
        let counted = counted && !crate::soak::is_without_lock();
        Self {
            counted,
            turns: Mutex::default(),
        }
    }

    /// Waits for a turn on the network of this id, if the engine counts endpoints.
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

/// Whether a version of Docker counts endpoints. An unknown version may count.
fn counts(version: &str) -> bool {
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    major.is_none_or(|major: u32| major < FIRST_WITHOUT_COUNTER)
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
            "finished turns are forgotten"
        );
    }
}
