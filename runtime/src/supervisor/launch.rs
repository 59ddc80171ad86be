//! The outcome of a launch: all services ready, or why not.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::try_join_all;
use seatrial_model::Plan;
use tokio::sync::{oneshot, watch};

use super::Handle;
use super::context::Context;
use super::instance::{Command, Gate, Phase};
use crate::protocol::{Action, Launch, ServiceInfo};
use crate::{Error, terminal};

/// A launch that is under way.
pub(super) struct Waiting {
    pub(super) context: Arc<Context>,
    pub(super) launch: Arc<Launch>,
    pub(super) gates: Vec<Gate>,
    pub(super) begun: Instant,
}

impl Waiting {
    /// The services once all are ready; or, as soon as one has failed, why.
    pub(super) async fn outcome(self) -> Result<Vec<ServiceInfo>, Error> {
        let settled = self.gates.iter().map(|gate| async move {
            match gate.settled().await {
                Phase::Ready(info) => Ok(info.as_ref().clone()),
                _ => Err(()),
            }
        });
        match try_join_all(settled).await {
            Ok(services) => {
                if self.context.config.report {
                    let took = self.begun.elapsed();
                    terminal::launched(&self.launch, &services, took);
                }
                Ok(services)
            }
            Err(()) => Err(self.failure()),
        }
    }

    fn failure(&self) -> Error {
        let phases: Vec<Phase> = self
            .gates
            .iter()
            .map(|gate| gate.phase.borrow().clone())
            .collect();
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
            return super::gone();
        };
        let indices: Vec<usize> = failed.iter().map(|(index, _)| *index).collect();
        (*root).clone().with(|report| {
            report.composition = Some(plan.name.clone());
            report.not_started = behind(plan, &indices);
            // One cause that all share, such as an engine that is not there, is told once.
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
        })
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

/// The phase of a shared instance as one more launch sees it: where it is ready, it is not taken for ready but checked.
pub(super) fn check_again(handle: &Handle) -> watch::Receiver<Phase> {
    let info = match &*handle.phase.borrow() {
        Phase::Ready(info) => info.clone(),
        Phase::Failed(error) => {
            let error = error.clone().with(|report| {
                let note = "it failed earlier in this process, and is not tried again";
                report.details.push(note.to_owned());
            });
            return watch::channel(Phase::Failed(error)).1;
        }
        Phase::Pending | Phase::Blocked => return handle.phase.clone(),
    };
    let (sender, receiver) = watch::channel(Phase::Pending);
    let (answer, answered) = oneshot::channel();
    let sent = handle.commands.send(Command {
        action: Action::WaitReady,
        answer,
    });
    tokio::spawn(async move {
        let outcome = match sent {
            Ok(()) => answered.await.unwrap_or_else(|_| Err(super::gone())),
            Err(_) => Err(super::gone()),
        };
        sender.send_replace(match outcome {
            Ok(_) => {
                let mut info = info.as_ref().clone();
                info.times = crate::protocol::Times { shared: true, ..Default::default() };
                Phase::Ready(Arc::new(info))
            }
            Err(error) => Phase::Failed(error.with(|report| {
                let note = "it was ready when it was launched; a test before this one may have changed that";
                report.details.push(note.to_owned());
            })),
        });
    });
    receiver
}
