//! Waits for the services of a launch until all are ready, one has failed, or the time is up.

use std::sync::Arc;

use futures_util::future::try_join_all;
use seatrial_model::Plan;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::protocol::{Launch, Message, ServiceInfo};
use crate::supervisor::context::Context;
use crate::supervisor::instance::{Dependency, Phase, gone};
use crate::terminal::{self, Shown};
use crate::{Error, ErrorKind};

/// A launch under way.
pub(super) struct Waiting {
    pub(super) context: Arc<Context>,
    pub(super) launch: Arc<Launch>,
    pub(super) dependencies: Vec<Dependency>,
    /// The positions of the services that this supervisor has.
    pub(super) asked: Vec<usize>,
    pub(super) begun: std::time::Instant,
    pub(super) messages: mpsc::UnboundedSender<Message>,
}

impl Waiting {
    /// The services once all are ready, or the reason as soon as one has failed or the time is up.
    pub(super) async fn outcome(
        self,
        until: Option<Instant>,
    ) -> Result<Vec<ServiceInfo>, NotLaunched> {
        let settled = self.asked.iter().map(|index| async {
            match self.dependencies[*index].settled().await {
                Phase::Ready(info) => Ok(info.as_ref().clone()),
                _ => Err(None),
            }
        });
        let settled = async {
            let services = try_join_all(settled).await?;
            self.still_run().await.map_err(Some)?;
            Ok(services)
        };
        let settled = match until {
            None => settled.await,
            Some(until) => match timeout_at(until, settled).await {
                Ok(settled) => settled,
                Err(_) => return Err(NotLaunched::Failed(Box::new(self.out_of_time()))),
            },
        };
        match settled {
            Ok(services) => {
                if self.context.config().report && services.len() == self.dependencies.len() {
                    let took = self.begun.elapsed();
                    let text = terminal::launched(&self.launch, &services, took);
                    let _ = self.messages.send(Message::Show(Shown::Text(text)));
                }
                Ok(services)
            }
            Err(Some(error)) => Err(NotLaunched::Failed(Box::new(error))),
            Err(None) => Err(self.failure().map_or(NotLaunched::Discarded, |error| {
                NotLaunched::Failed(Box::new(error))
            })),
        }
    }

    /// Checks that no service has ended while others were awaited.
    async fn still_run(&self) -> Result<(), Error> {
        let run = self
            .asked
            .iter()
            .map(|index| self.dependencies[*index].still_runs());
        try_join_all(run).await.map(drop).map_err(|error| {
            error.with(|report| report.composition = Some(self.launch.plan.name.clone()))
        })
    }

    /// What the launch waited for when the time was up.
    fn out_of_time(&self) -> Error {
        let pending = self.asked.iter().filter(|index| {
            let dependency = &self.dependencies[**index];
            matches!(*dependency.phase.borrow(), Phase::Pending)
        });
        let details = pending.map(|index| {
            let field = &self.launch.plan.services[*index].field;
            format!("`{field}` {}", self.dependencies[*index].activity)
        });
        let what = "the services were not ready when the time for the test was up";
        Error::new(ErrorKind::NotReady, what).with(|report| {
            report.composition = Some(self.launch.plan.name.clone());
            report.details = details.collect();
        })
    }

    /// Why the launch failed. `None` if it begins again.
    fn failure(&self) -> Option<Error> {
        let phases: Vec<Phase> = self
            .dependencies
            .iter()
            .map(|dependency| dependency.phase.borrow().clone())
            .collect();
        if phases.iter().any(|phase| matches!(phase, Phase::Discarded)) {
            return None;
        }
        let failed: Vec<(usize, &Error)> = phases
            .iter()
            .enumerate()
            .filter_map(|(index, phase)| match phase {
                Phase::Failed(error) => Some((index, error)),
                _ => None,
            })
            .collect();
        let plan = &self.launch.plan;
        let Some((_, root)) = failed.first() else {
            return Some(gone());
        };
        let indices: Vec<usize> = failed.iter().map(|(index, _)| *index).collect();
        Some((*root).clone().with(|report| {
            report.composition = Some(plan.name.clone());
            report.not_started = behind(plan, &indices);
            // A cause that all share, such as a missing engine, is reported once.
            report.also = failed[1..]
                .iter()
                .filter(|(_, error)| error.report().what != root.report().what)
                .map(|(index, error)| {
                    (
                        plan.services[*index].field.clone(),
                        error.report().what.clone(),
                    )
                })
                .collect();
        }))
    }
}

/// The services that need, directly or through others, one of `failed`.
fn behind(plan: &Plan, failed: &[usize]) -> Vec<String> {
    let mut reached = failed.to_vec();
    loop {
        let next = (0..plan.services.len()).find(|index| {
            !reached.contains(index)
                && plan.services[*index]
                    .needs
                    .iter()
                    .any(|need| reached.contains(need))
        });
        match next {
            Some(index) => reached.push(index),
            None => break,
        }
    }
    let mut behind: Vec<usize> = reached.split_off(failed.len());
    behind.sort_unstable();
    behind
        .into_iter()
        .map(|index| plan.services[index].field.clone())
        .collect()
}

/// Why a launch has no services.
pub(super) enum NotLaunched {
    Failed(Box<Error>),
    /// The launch waited for an instance that was discarded.
    Discarded,
}
