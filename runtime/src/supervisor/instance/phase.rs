//! How far an instance is, as those see it who wait for it: launches, and the instances that need it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::doing::Doing;
use super::orders::{Command, Order, gone};
use crate::Error;
use crate::protocol::ServiceInfo;
use crate::supervisor::network::HostNumber;

/// How far an instance is. Only ever goes from `Pending` to one of the others.
#[derive(Clone, Debug)]
pub(in crate::supervisor) enum Phase {
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
pub(in crate::supervisor) struct Dependency {
    pub(in crate::supervisor) address: HostNumber,
    pub(in crate::supervisor) phase: watch::Receiver<Phase>,
    pub(in crate::supervisor) doing: Arc<Doing>,
    /// Where it is told what to do; nothing of one that another supervisor has.
    pub(in crate::supervisor) commands: Option<mpsc::UnboundedSender<Command>>,
}

impl Dependency {
    /// Sees whether one that became ready runs still.
    ///
    /// # Errors
    ///
    /// How it has ended.
    pub(in crate::supervisor) async fn still_runs(&self) -> Result<(), Error> {
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
    pub(in crate::supervisor) fn absent() -> Self {
        Self {
            address: HostNumber::NONE,
            phase: watch::channel(Phase::Blocked).1,
            doing: Arc::default(),
            commands: None,
        }
    }

    /// Waits until the instance is not pending any more.
    pub(in crate::supervisor) async fn settled(&self) -> Phase {
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
