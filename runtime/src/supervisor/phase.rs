//! How far an instance is, as those see it who wait for it: launches, and the instances that need it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::doing::Doing;
use super::network::HostNumber;
use super::orders::{Command, Order, gone};
use crate::Error;
use crate::protocol::ServiceInfo;

/// How far an instance is. Only ever goes from `Pending` to one of the others.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Pending,
    Ready(Arc<ServiceInfo>),
    /// It failed on its own account.
    Failed(Error),
    /// A service it needs did not become ready.
    Blocked,
    /// Its setup was cut short, and nobody knows how far it came: whoever wants it starts afresh.
    Discarded,
}

/// Another instance of the same launch, as those who need it see it.
#[derive(Clone, Debug)]
pub(super) struct Dependency {
    pub(super) address: HostNumber,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) doing: Arc<Doing>,
    /// Where it is told what to do; nothing of one that another supervisor has.
    pub(super) commands: Option<mpsc::UnboundedSender<Command>>,
}

impl Dependency {
    /// Sees whether one that became ready runs still.
    ///
    /// # Errors
    ///
    /// How it has ended.
    pub(super) async fn still_runs(&self) -> Result<(), Error> {
        let Some(commands) = &self.commands else {
            return Ok(());
        };
        let (answer, answered) = oneshot::channel();
        let order = Order::StillRuns;
        if commands.send(Command { order, answer }).is_err() {
            return Err(gone());
        }
        let answered = answered.await.unwrap_or_else(|_| Err(gone()));
        answered.map(drop)
    }

    /// The dependency of a service that another supervisor has, and that nothing here needs.
    pub(super) fn absent() -> Self {
        Self {
            address: HostNumber::NONE,
            phase: watch::channel(Phase::Blocked).1,
            doing: Arc::default(),
            commands: None,
        }
    }

    /// Waits until the instance is not pending any more.
    pub(super) async fn settled(&self) -> Phase {
        let mut phase = self.phase.clone();
        match phase
            .wait_for(|phase| !matches!(phase, Phase::Pending))
            .await
        {
            Ok(phase) => phase.clone(),
            // Its task was ended before it settled.
            Err(_) => Phase::Blocked,
        }
    }
}
