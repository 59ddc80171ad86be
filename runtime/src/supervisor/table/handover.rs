//! Hands a spare to the launch that has taken it: finds out whether nothing has changed since it was begun, says whose it is,
//! and waits until it is ready. If it is of no use, the launch begins again, with new instances.

use std::sync::Arc;
use std::time::Instant;

use futures_util::TryFutureExt as _;
use futures_util::future::try_join_all;
use tokio::sync::watch;

use super::family::has_functions;
use super::rechecks::order_of;
use super::state::Handle;
use crate::Error;
use crate::protocol::{ClientId, InstanceId, Launch, Times};
use crate::supervisor::context::Context;
use crate::supervisor::freshness::Files;
use crate::supervisor::instance::{Dependency, Order, Phase, Taken};
use crate::supervisor::messages::Internal;

/// A spare that a launch has taken.
pub(super) struct Handover {
    pub(super) context: Arc<Context>,
    pub(super) launch: Arc<Launch>,
    pub(super) family: u64,
    pub(super) client: ClientId,
    pub(super) members: Vec<Member>,
    pub(super) files: Files,
    pub(super) taker: watch::Sender<Option<Taken>>,
}

/// An instance of the spare.
pub(super) struct Member {
    index: usize,
    instance: InstanceId,
    /// The instance as it is.
    own: Dependency,
    /// Its phase for the launch.
    phase: watch::Sender<Phase>,
}

impl Member {
    pub(super) fn new(index: usize, instance: InstanceId, handle: &Handle) -> Self {
        Self {
            index,
            instance,
            own: handle.dependency(),
            phase: watch::Sender::new(Phase::Pending),
        }
    }

    /// The instance as the launch sees it.
    fn dependency(&self) -> Dependency {
        Dependency {
            phase: self.phase.subscribe(),
            ..self.own.clone()
        }
    }
}

impl Handover {
    /// The instance of the service at this position, for the launch.
    pub(super) fn instance(&self, index: usize) -> Option<(InstanceId, Dependency)> {
        let mut members = self.members.iter();
        let member = members.find(|member| member.index == index)?;
        Some((member.instance, member.dependency()))
    }

    /// Waits until the launch has the spare, or begins again.
    pub(super) async fn run(self) {
        let (context, family) = (self.context.clone(), self.family);
        if let Some(was_fit) = self.hand_over().await {
            let taken = Internal::Taken { family, was_fit };
            let _ = context.run.internal.send(taken);
        }
    }

    /// Returns whether the launch could have the spare. `None` if the launch has ended meanwhile.
    async fn hand_over(self) -> Option<bool> {
        let Self {
            context,
            launch,
            client,
            members,
            files,
            taker,
            ..
        } = self;
        let asked = Instant::now();
        let services = &launch.plan.services;
        let looking = tokio::task::spawn_blocking(move || files.are_unchanged());
        if !looking.await.unwrap_or(false) {
            for member in &members {
                member.phase.send_replace(Phase::Discarded);
            }
            return Some(false);
        }
        let before: Vec<Phase> = members.iter().map(Member::own_phase).collect();
        // From here on it calls the functions of this client.
        taker.send_replace(Some(Taken::by(client, &launch)));
        let settled = members.iter().zip(before).map(|(member, before)| {
            let settled = member.settled(before, &launch, asked);
            settled.map_err(move |why| (member, why))
        });
        match try_join_all(settled).await {
            Ok(phases) => {
                for (member, phase) in members.iter().zip(phases) {
                    let (composition, service) = (&launch.plan.name, &services[member.index].field);
                    let events = &context.events;
                    events.record(composition, service, member.instance, "taken", &[]);
                    member.phase.send_replace(phase);
                }
                Some(true)
            }
            Err((member, why)) => {
                let is_over = member.is_over();
                let was_fit = matches!(why, Phase::Failed(_));
                member.phase.send_replace(why);
                (!is_over).then_some(was_fit)
            }
        }
    }
}

impl Member {
    fn own_phase(&self) -> Phase {
        self.own.phase.borrow().clone()
    }

    /// Whether the instance was ended from outside.
    fn is_over(&self) -> bool {
        let has_ended = self.own.phase.has_changed().is_err();
        has_ended && matches!(self.own_phase(), Phase::Pending | Phase::Ready(_))
    }

    /// Waits until the instance is ready. One that was ready `before` is checked again.
    ///
    /// # Errors
    ///
    /// Returns the phase for the launch: what one of the client's own functions has made of the service, or that it begins again.
    async fn settled(
        &self,
        before: Phase,
        launch: &Launch,
        asked: Instant,
    ) -> Result<Phase, Phase> {
        let service = &launch.plan.services[self.index];
        let is_pending = matches!(before, Phase::Pending);
        let info = match self.own.settled().await {
            Phase::Ready(info) => info,
            // The functions were called, and are not called for another instance.
            failed @ Phase::Failed(_) if is_pending && has_functions(service) => {
                return Err(failed);
            }
            _ => return Err(Phase::Discarded),
        };
        let mut times = Times {
            ahead: true,
            ..Times::default()
        };
        if is_pending {
            times.ready = Some(asked.elapsed());
        } else {
            self.check_again().await.map_err(|_| Phase::Discarded)?;
        }
        let mut info = info.as_ref().clone();
        info.times = times;
        // It may have been begun for another composition, of the same services.
        info.composition.clone_from(&launch.plan.name);
        Ok(Phase::Ready(Arc::new(info)))
    }

    async fn check_again(&self) -> Result<(), Error> {
        let Some(commands) = &self.own.commands else {
            return Ok(());
        };
        let checked = order_of(commands, Order::CheckAgain).await;
        checked.map(drop)
    }
}
