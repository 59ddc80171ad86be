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

/// A service of a launch that is ready.
struct Settled {
    index: usize,
    info: Arc<ServiceInfo>,
    /// When it became ready, if the launch has waited for that.
    at: Option<Instant>,
}

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
        let settled = self.asked.iter().map(|index| self.settled(*index));
        let settled = async {
            let settled = try_join_all(settled).await?;
            self.still_run(&settled).await.map_err(Some)?;
            let services = settled.iter().map(|it| it.info.as_ref().clone());
            Ok(services.collect::<Vec<_>>())
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
                let is_whole = || self.asked.iter().copied().eq(self.launch.plan.launched());
                if self.context.config().report && is_whole() {
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

    /// Waits until this service is ready.
    ///
    /// # Errors
    ///
    /// Returns `None`: its phase says why it is not.
    async fn settled(&self, index: usize) -> Result<Settled, Option<Error>> {
        let dependency = &self.dependencies[index];
        let awaited = matches!(*dependency.phase.borrow(), Phase::Pending);
        match dependency.settled().await {
            Phase::Ready(info) => Ok(Settled {
                index,
                info,
                at: awaited.then(Instant::now),
            }),
            _ => Err(None),
        }
    }

    /// Checks that no service has ended while others were awaited. The last one has been checked just now.
    async fn still_run(&self, settled: &[Settled]) -> Result<(), Error> {
        let last = settled.iter().filter(|it| it.at.is_some());
        let last = last.max_by_key(|it| it.at).map(|it| it.index);
        let earlier = settled.iter().filter(|it| Some(it.index) != last);
        let run = earlier.map(|it| self.dependencies[it.index].still_runs());
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
        .filter(|index| !plan.is_on_demand(*index))
        .map(|index| plan.services[index].field.clone())
        .collect()
}

/// Why a launch has no services.
pub(super) enum NotLaunched {
    Failed(Box<Error>),
    /// The launch waited for an instance that was discarded.
    Discarded,
}
