//! What holders are made from, and with.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;

use super::program;
use crate::engine::{Engine, EngineError};
use crate::supervisor::identity::Identity;
use crate::supervisor::network::Network;
use crate::supervisor::ports::Ports;
use crate::supervisor::reachability::Reachability;
use crate::supervisor::reaper::Reaper;

/// What holders are made from. It exists once the run has a network.
pub(in crate::supervisor) struct Maker {
    pub(in crate::supervisor) engine: Engine,
    pub(in crate::supervisor) network: Network,
    pub(in crate::supervisor) identity: Identity,
    pub(in crate::supervisor) reaper: Reaper,
    pub(in crate::supervisor) ports: Ports,
    pub(in crate::supervisor) reachability: Arc<Reachability>,
    pub(in crate::supervisor) made: Made,
}

/// What was made for all holders.
#[derive(Default)]
pub(in crate::supervisor) struct Made {
    image: OnceCell<String>,
    count: AtomicU32,
}

impl Maker {
    /// The image of holders, which is made at the first call.
    pub(super) async fn image(&self) -> Result<String, EngineError> {
        let made = self
            .made
            .image
            .get_or_try_init(|| program::image(&self.engine));
        made.await.cloned()
    }

    /// A name that no container has.
    pub(super) fn next_name(&self) -> String {
        let count = self.made.count.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{}-n{count}-namespace", self.identity.prefix)
    }

    /// Checks that this machine reaches a holder at its own address.
    pub(super) async fn confirm_reachability(
        &self,
        id: &str,
        address: Ipv4Addr,
    ) -> Result<(), NotMade> {
        let reachability = &self.reachability;
        match reachability.is_confirmed(&self.engine, id, address).await {
            true => Ok(()),
            false => Err(NotMade::OutOfReach),
        }
    }
}

/// Why there is no holder.
pub(in crate::supervisor) enum NotMade {
    /// This machine does not reach its address.
    OutOfReach,
    Refused(EngineError),
}

impl From<EngineError> for NotMade {
    fn from(error: EngineError) -> Self {
        Self::Refused(error)
    }
}
