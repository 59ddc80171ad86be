//! Spares: instances of test scope that are brought up while a test runs, for the next test that launches the same.
//!
//! A spare is all instances of one launch that the launch does not share. It has no lease, so it keeps no run from ending, and
//! it goes with the run. Decides when spares begin, which launch gets one, and when one is of no use any more. Nobody sees
//! the error of a spare: a launch that cannot have one gets new instances.

use std::sync::Arc;

use super::family::{Family, Need, Progress, Shape, Spare};
use super::handover::{Handover, Member};
use super::kept::Holder;
use super::launch::{Beginning, New};
use super::room::{Bounds, make_room};
use super::state::{Supervisor, shared_key};
use crate::protocol::{ClientId, Launch};
use crate::supervisor::context::Context;
use crate::supervisor::freshness::Files;
use crate::supervisor::identity::Role;
use crate::supervisor::instance::{Dependency, Phase, Taker};
use crate::supervisor::messages::Internal;
use crate::supervisor::spec;
use crate::supervisor::volumes::Volumes;

impl Supervisor {
    /// Notes a launch that a spare could serve. Returns its family.
    pub(super) fn note_use(
        &mut self,
        context: &Arc<Context>,
        launch: &Launch,
        holder: Holder,
    ) -> Option<u64> {
        if self.run.role == Role::Keeper || context.config().ahead == Some(0) {
            return None;
        }
        let shape = Shape::of(launch)?;
        let (position, forgotten) = self.families.wanted(context, launch, shape, holder);
        if let Some(family) = forgotten {
            self.drop_spares(family.spares);
        }
        Some(self.families.at(position).id)
    }

    /// Takes a spare of the family for a launch, if there is one that nothing speaks against so far.
    pub(super) fn take_spare(
        &mut self,
        family: u64,
        launch: &Arc<Launch>,
        client: ClientId,
    ) -> Option<Handover> {
        let position = self.families.position(family)?;
        let family = self.families.at(position);
        let (instances, shared) = (&self.instances, &self.shared);
        let is_changed = |need: &Need| {
            let key = shared_key(launch, need.index, &launch.identity, client);
            let is_other = key.and_then(|key| shared.get(&key)) != Some(&need.instance);
            is_other
                || instances.get(&need.instance).is_none_or(|handle| {
                    handle.changes != need.changes || need.starts.has_changed().unwrap_or(true)
                })
        };
        let progress = |spare: &Spare| {
            if spare.needs.iter().any(is_changed) {
                return Progress::Unfit;
            }
            let each = spare.instances.iter().map(|(_, instance)| {
                let phase = instances.get(instance).map(|handle| handle.phase.borrow());
                match phase.as_deref() {
                    Some(Phase::Ready(_)) => Progress::Ready,
                    Some(Phase::Pending) => Progress::Pending,
                    _ => Progress::Unfit,
                }
            });
            each.min().unwrap_or(Progress::Unfit)
        };
        let (taken, unfit) = family.take(progress);
        let (context, family) = (family.context.clone(), family.id);
        self.drop_spares(unfit);
        let spare = taken?;
        let members = spare.instances.iter().filter_map(|(index, instance)| {
            let handle = self.instances.get(instance)?;
            Some(Member::new(*index, *instance, handle))
        });
        Some(Handover {
            context,
            launch: launch.clone(),
            family,
            client,
            members: members.collect(),
            files: spare.files,
            taker: spare.taker,
        })
    }

    /// Handles a launch that has succeeded: another one may follow.
    pub(super) fn launched(&mut self, family: u64) {
        let Some(position) = self.families.position(family) else {
            return;
        };
        self.families.at(position).launched();
        while self.families.at(position).wants_more() && self.make_room(position) {
            let family = self.families.at(position);
            family.looking += 1;
            let (id, own) = (family.id, family.shape.own.clone());
            let (context, launch) = (family.context.clone(), family.launch.clone());
            tokio::spawn(async move {
                let files = look(&context, launch, own).await;
                let looked = Internal::Looked { family: id, files };
                let _ = context.run.internal.send(looked);
            });
        }
    }

    /// Begins a spare whose files were looked at.
    pub(super) fn looked(&mut self, family: u64, files: Option<Files>) {
        let Some(position) = self.families.position(family) else {
            return;
        };
        let family = self.families.at(position);
        family.looking -= 1;
        let Some(files) = files else {
            return family.give_up();
        };
        if self.make_room(position) {
            self.begin_spare(position, files);
        }
    }

    /// Notes whether a launch could have the spare that it has taken.
    pub(super) fn tried(&mut self, family: u64, was_fit: bool) {
        if let Some(position) = self.families.position(family) {
            self.families.at(position).tried(was_fit);
        }
    }

    /// Drops the spares that did not come up.
    pub(super) fn drop_failed_spares(&mut self) {
        let instances = &self.instances;
        let mut dropped = Vec::new();
        for family in self.families.iter_mut() {
            let has_failed = |spare: &mut Spare| {
                spare.instances.iter().any(|(_, instance)| {
                    instances.get(instance).is_none_or(|handle| {
                        let phase = handle.phase.borrow();
                        !matches!(*phase, Phase::Pending | Phase::Ready(_))
                    })
                })
            };
            let failed: Vec<Spare> = family.spares.extract_if(.., has_failed).collect();
            if !failed.is_empty() {
                family.tried(false);
            }
            dropped.extend(failed);
        }
        self.drop_spares(dropped);
    }

    /// Drops the spares that need a client's own instances.
    pub(super) fn drop_spares_of(&mut self, client: ClientId) {
        for family in self.families.take_those_of(client) {
            self.drop_spares(family.spares);
        }
    }

    fn drop_spares(&mut self, spares: impl IntoIterator<Item = Spare>) {
        for (_, instance) in spares.into_iter().flat_map(|spare| spare.instances) {
            self.instances.remove(&instance);
        }
    }

    /// Whether there is room for one more spare of a family, after others were dropped for it.
    fn make_room(&mut self, position: usize) -> bool {
        let ahead = self.families.at(position).context.config().ahead;
        let shares = self.families.shares();
        let Some(give_up) = make_room(&Bounds::of_machine(ahead), &shares, position) else {
            return false;
        };
        for other in give_up {
            let spare = self.families.at(other).spares.pop();
            self.drop_spares(spare);
        }
        true
    }

    /// Begins one more spare of a family, unless something that it needs is not ready.
    fn begin_spare(&mut self, position: usize, files: Files) {
        let Family {
            context,
            launch,
            client,
            shape,
            ..
        } = self.families.at(position);
        let (context, launch) = (context.clone(), launch.clone());
        let client = client.unwrap_or_default();
        let (own, needed) = (shape.own.clone(), shape.needed.clone());
        let mut dependencies = vec![Dependency::absent(); launch.plan.services.len()];
        let mut needs = Vec::new();
        for index in needed {
            let key = shared_key(&launch, index, &launch.identity, client);
            let Some(instance) = key.and_then(|key| self.shared.get(&key)).copied() else {
                return;
            };
            let Some(handle) = self.instances.get(&instance) else {
                return;
            };
            if !matches!(*handle.phase.borrow(), Phase::Ready(_)) {
                return;
            }
            let mut starts = handle.starts.clone();
            starts.mark_unchanged();
            needs.push(Need {
                index,
                instance,
                changes: handle.changes,
                starts,
            });
            dependencies[index] = handle.dependency();
        }
        let mut starting = Vec::new();
        for index in own {
            let instance = self.number();
            let seat = context.seat(&launch.plan.services[index]);
            let (handle, new) = New::instance(index, instance, seat.host());
            dependencies[index] = handle.dependency();
            self.instances.insert(instance, handle);
            starting.push((index, instance, new, seat));
        }
        let volumes = Arc::new(Volumes::ahead(&context, self.number()));
        let (sender, taker) = Taker::later();
        let beginning = Beginning {
            context,
            taker,
            redactor: Arc::new(spec::redactor(&launch)),
            launch,
            dependencies,
            begun: std::time::Instant::now(),
            followed: None,
        };
        let mut instances = Vec::new();
        for (index, instance, new, seat) in starting {
            beginning.begin(new, seat, volumes.clone());
            if let Some(handle) = self.instances.get_mut(&instance) {
                handle.volumes = Some(volumes.clone());
            }
            instances.push((index, instance));
        }
        self.families.at(position).spares.push(Spare {
            instances,
            needs,
            files,
            taker: sender,
        });
    }
}

/// The present state of the files that these services may read. `None` if it is not known.
async fn look(context: &Context, launch: Arc<Launch>, own: Vec<usize>) -> Option<Files> {
    let engine = context.engine().await.ok()?;
    let mut services = Vec::new();
    for index in own {
        let image = context.image(&engine, &launch, index).await;
        services.push((index, image.ok()?));
    }
    let looking = tokio::task::spawn_blocking(move || Files::of(&launch, &services));
    looking.await.ok().flatten()
}
