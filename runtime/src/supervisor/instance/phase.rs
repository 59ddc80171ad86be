//! The phase of an instance, for the launches and instances that wait for it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::activity::Activity;
use super::orders::{Command, Order, gone};
use crate::Error;
use crate::protocol::ServiceInfo;
use crate::supervisor::network::HostNumber;

/// The phase of an instance. It changes once, from `Pending` to another one.
#[derive(Clone, Debug)]
pub(in crate::supervisor) enum Phase {
    Pending,
    Ready(Arc<ServiceInfo>),
    /// The instance itself failed.
    Failed(Error),
    /// A service that it needs did not become ready.
    Blocked,
    /// Its setup was interrupted, and its progress is unknown. The next launch begins with a new instance.
    Discarded,
}

/// Another instance of the same launch, as its dependents see it.
#[derive(Clone, Debug)]
pub(in crate::supervisor) struct Dependency {
    pub(in crate::supervisor) address: HostNumber,
    pub(in crate::supervisor) phase: watch::Receiver<Phase>,
    pub(in crate::supervisor) activity: Arc<Activity>,
    /// Where to send its commands. `None` if another supervisor has the instance.
    pub(in crate::supervisor) commands: Option<mpsc::UnboundedSender<Command>>,
}

impl Dependency {
    /// Checks that an instance that became ready still runs.
    ///
    /// # Errors
    ///
    /// Returns how it has ended.
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

    /// The dependency for a service that another supervisor has, and that nothing here needs.
    pub(in crate::supervisor) fn absent() -> Self {
        Self {
            address: HostNumber::NONE,
            phase: watch::channel(Phase::Blocked).1,
            activity: Arc::default(),
            commands: None,
        }
    }

    /// Waits until the instance is no longer pending.
    pub(in crate::supervisor) async fn settled(&self) -> Phase {
        let mut phase = self.phase.clone();
        match phase
            .wait_for(|phase| !matches!(phase, Phase::Pending))
            .await
        {
            Ok(phase) => phase.clone(),
            // The task ended before the phase changed.
            Err(_) => Phase::Blocked,
        }
    }
}
