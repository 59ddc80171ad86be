//! Families: launches of a run that are equal for their spares, the use that is made of them, and the spares that they
//! have.
//!
//! Decides how many spares a family wants, and which one a launch takes. Must not begin or end an instance.

use std::collections::HashSet;
use std::sync::Arc;

use seatrial_model::{CheckKind, MountMode, Scope, ServicePlan, SetupKind, Source};
use tokio::sync::watch;

use super::kept::Holder;
use super::room::{Share, Size, Turns};
use crate::protocol::{ClientId, InstanceId, Launch, LeaseId};
use crate::supervisor::context::Context;
use crate::supervisor::freshness::Files;
use crate::supervisor::instance::Taken;
use crate::supervisor::volumes::widest_scope;

/// How often a family is launched before it gets spares. Most declarations that one test uses are used by no other.
const LAUNCHES_BEFORE: u32 = 2;

/// How many spares in a row may turn out to be of no use before the family gets no more of them.
const MOST_UNFIT: u32 = 2;

/// The most families that are remembered.
const MOST_FAMILIES: usize = 64;

/// All families of a run.
#[derive(Default)]
pub(super) struct Families {
    all: Vec<Family>,
    /// The number of launches so far.
    turn: u64,
    /// The number of families so far.
    count: u64,
}

/// Launches that may have the same spares.
pub(super) struct Family {
    pub(super) id: u64,
    pub(super) context: Arc<Context>,
    /// The launch, without a test, and without a name if it has several.
    pub(super) launch: Arc<Launch>,
    /// The client whose instances the services need, if they need any that live as long as a client.
    pub(super) client: Option<ClientId>,
    pub(super) shape: Shape,
    pub(super) spares: Vec<Spare>,
    /// The spares that are about to be begun.
    pub(super) looking: usize,
    turns: Turns,
    /// The launches that have succeeded.
    launches: u32,
    users: HashSet<Holder>,
    /// The most users that it had at the same time.
    peak: usize,
    /// How many spares in a row were of no use.
    unfit: u32,
}

/// The parts of a launch, for its spares.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The services of which each launch has its own.
    pub(super) own: Vec<usize>,
    /// The shared services that those need, directly or through others.
    pub(super) needed: Vec<usize>,
    /// Whether the start of its own services may be seen by tests that use others of them: through a service or files that they
    /// share.
    is_seen: bool,
    /// Whether its own services belong to their declaration, which has the functions that they call and the shared services
    /// that they need.
    is_bound: bool,
    size: Size,
}

/// Instances that were begun before a launch asked for them.
pub(super) struct Spare {
    /// The position of each in the plan, and its number.
    pub(super) instances: Vec<(usize, InstanceId)>,
    pub(super) needs: Vec<Need>,
    pub(super) files: Files,
    /// Where to say who takes it.
    pub(super) taker: watch::Sender<Option<Taken>>,
}

/// A shared instance that a spare needs, as it was when the spare was begun.
pub(super) struct Need {
    /// The service's position in the plan.
    pub(super) index: usize,
    pub(super) instance: InstanceId,
    pub(super) changes: u64,
    /// Notified of each of its starts.
    pub(super) starts: watch::Receiver<()>,
}

/// How far a spare is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// It must not be handed out.
    Unfit,
    Pending,
    Ready,
}

impl Shape {
    /// `None` if nothing of this launch may be brought up ahead.
    pub(super) fn of(launch: &Launch) -> Option<Self> {
        let services = &launch.plan.services;
        let launched = launch.plan.launched();
        let own = launched.filter(|index| services[*index].scope == Scope::Test);
        let own: Vec<usize> = own.collect();
        let mut reached = own.clone();
        let mut next = 0;
        while let Some(index) = reached.get(next) {
            for need in &services[*index].needs {
                if !reached.contains(need) {
                    reached.push(*need);
                }
            }
            next += 1;
        }
        let needed = reached.split_off(own.len());
        // Only the keeper knows what others do to a kept service.
        let is_kept = |index: &usize| {
            services[*index].scope == Scope::Keep || launch.kept.contains_key(index)
        };
        // Others may write to such a volume at any time.
        let shares_volume = |index: &usize| {
            let mut volumes = services[*index].volumes.iter();
            volumes.any(|volume| {
                let name = volume.name.as_deref();
                name.is_some_and(|name| widest_scope(&launch.plan, name) != Scope::Test)
            })
        };
        // They would be written to this machine with nobody having asked for it.
        let leaves_artifacts = |index: &usize| {
            let job = services[*index].job.as_ref();
            job.is_some_and(|job| !job.artifacts.is_empty())
        };
        let is_unfit = |index: &usize| shares_volume(index) || leaves_artifacts(index);
        if own.is_empty() || needed.iter().any(is_kept) || own.iter().any(is_unfit) {
            return None;
        }
        let writes = |index: &usize| {
            let service = &services[*index];
            let in_source = matches!(
                service.source,
                Source::Mounted {
                    mode: MountMode::Rw,
                    ..
                }
            );
            let mut mounts = service.mounts.iter();
            in_source || mounts.any(|mount| mount.mode == MountMode::Rw)
        };
        let is_bound =
            !needed.is_empty() || own.iter().any(|index| has_functions(&services[*index]));
        let is_seen = !needed.is_empty() || own.iter().any(writes);
        let sizes = own.iter().map(|index| services[*index].memory);
        let size = sizes.map(Size::of_service).reduce(|one, other| one + other);
        Some(Self {
            own,
            needed,
            is_seen,
            is_bound,
            size: size.unwrap_or_default(),
        })
    }
}

impl Families {
    /// The position of the launch's family, after it was noted that the holder uses it. Also returns the family that was
    /// forgotten for it.
    pub(super) fn wanted(
        &mut self,
        context: &Arc<Context>,
        launch: &Launch,
        shape: Shape,
        (client, lease): Holder,
    ) -> (usize, Option<Family>) {
        let services = &launch.plan.services;
        let mut needed = shape.needed.iter();
        let of_client = needed.any(|index| services[*index].scope == Scope::Binary);
        let of_client = of_client.then_some(client);
        let known = self.all.iter().position(|family| {
            Arc::ptr_eq(&family.context, context)
                && family.client == of_client
                && family.has(launch)
        });
        let mut forgotten = None;
        let position = known.unwrap_or_else(|| {
            if self.all.len() == MOST_FAMILIES {
                let oldest = (0..MOST_FAMILIES).min_by_key(|at| self.all[*at].turns.latest());
                forgotten = oldest.map(|oldest| self.all.swap_remove(oldest));
            }
            self.count += 1;
            let mut launch = launch.clone();
            launch.test = None;
            self.all.push(Family {
                id: self.count,
                context: context.clone(),
                launch: Arc::new(launch),
                client: of_client,
                shape,
                spares: Vec::new(),
                looking: 0,
                turns: Turns::default(),
                launches: 0,
                users: HashSet::new(),
                peak: 0,
                unfit: 0,
            });
            self.all.len() - 1
        });
        self.turn += 1;
        let family = &mut self.all[position];
        let name = &family.launch.plan.name;
        if !name.is_empty() && *name != launch.plan.name {
            Arc::make_mut(&mut family.launch).plan.name.clear();
        }
        family.used((client, lease), self.turn);
        (position, forgotten)
    }

    pub(super) fn at(&mut self, position: usize) -> &mut Family {
        &mut self.all[position]
    }

    /// The position of a family, unless it was forgotten.
    pub(super) fn position(&self, id: u64) -> Option<usize> {
        self.all.iter().position(|family| family.id == id)
    }

    /// Notes that a lease was given back.
    pub(super) fn released(&mut self, client: ClientId, lease: LeaseId) {
        for family in &mut self.all {
            family.users.remove(&(client, lease));
        }
    }

    /// Forgets the families that need a client's own instances.
    pub(super) fn take_those_of(&mut self, client: ClientId) -> Vec<Family> {
        let is_its = |family: &mut Family| family.client == Some(client);
        self.all.extract_if(.., is_its).collect()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Family> {
        self.all.iter_mut()
    }

    /// What each family has, in their order.
    pub(super) fn shares(&self) -> Vec<Share> {
        let shares = self.all.iter().map(|family| Share {
            turns: family.turns,
            size: family.shape.size,
            spares: family.spares.len() + family.looking,
        });
        shares.collect()
    }
}

impl Family {
    /// Whether the launch is one of its. Compositions of other names may be: tests that declare the same services on their
    /// parameters have one each.
    fn has(&self, launch: &Launch) -> bool {
        let of_declaration =
            self.launch.identity == launch.identity && self.launch.plan.name == launch.plan.name;
        (of_declaration || !self.shape.is_bound) && are_equal(&self.launch, launch)
    }

    fn used(&mut self, holder: Holder, turn: u64) {
        self.turns.next(turn);
        self.users.insert(holder);
        self.peak = self.peak.max(self.users.len());
    }

    /// Whether one more spare could be of use, and does no harm.
    pub(super) fn wants_more(&self) -> bool {
        let has = self.spares.len() + self.looking;
        // Tests that run one at a time may rely on a service to begin after the test before, for example if its setup empties the
        // run's database. Tests that ran side by side do not.
        let is_harmless = !self.shape.is_seen || self.peak > 1;
        self.launches >= LAUNCHES_BEFORE
            && self.unfit < MOST_UNFIT
            && has < self.peak
            && is_harmless
    }

    /// Notes a launch that has succeeded.
    pub(super) fn launched(&mut self) {
        self.launches += 1;
    }

    /// Notes whether a spare was of use.
    pub(super) fn tried(&mut self, was_fit: bool) {
        match was_fit {
            true => self.unfit = 0,
            false => self.unfit += 1,
        }
    }

    /// Notes that spares are of no use.
    pub(super) fn give_up(&mut self) {
        self.unfit = MOST_UNFIT;
    }

    /// Takes the spare that is furthest. Also returns those that are unfit, which must go.
    pub(super) fn take(
        &mut self,
        progress: impl Fn(&Spare) -> Progress,
    ) -> (Option<Spare>, Vec<Spare>) {
        let is_unfit = |spare: &mut Spare| progress(spare) == Progress::Unfit;
        let unfit: Vec<Spare> = self.spares.extract_if(.., is_unfit).collect();
        if !unfit.is_empty() {
            self.tried(false);
        }
        let ready = |spare: &Spare| progress(spare) == Progress::Ready;
        let position = self.spares.iter().position(ready).unwrap_or(0);
        let taken = (position < self.spares.len()).then(|| self.spares.remove(position));
        (taken, unfit)
    }
}

/// Whether the service calls functions of the user until it is ready.
pub(super) fn has_functions(service: &ServicePlan) -> bool {
    let mut checks = service.ready.iter();
    let mut setups = service.setups.iter();
    checks.any(|check| matches!(check.kind, CheckKind::Hook { .. }))
        || setups.any(|setup| matches!(setup.kind, SetupKind::Hook { .. }))
}

/// Whether two launches differ in nothing but their tests and declarations. What outlives the run makes no difference to a
/// spare.
fn are_equal(one: &Launch, other: &Launch) -> bool {
    one.plan.services == other.plan.services
        && one.package_dir == other.package_dir
        && one.workspace == other.workspace
        && one.binaries == other.binaries
        && one.files == other.files
        && one.user == other.user
}

#[cfg(test)]
mod tests;
