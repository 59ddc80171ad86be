//! What a keeper keeps: services that outlive the runs that use them.
//!
//! A keeper is a supervisor that belongs to no run. It ends when nobody is connected and nothing is kept any more. A
//! service is kept while a lease holds it, and for a time after the last lease has been given back.
//!
//! Services of one declaration that need each other, or that share a volume, are a unit. They have the same content,
//! and are replaced together. A client that has an old one keeps it until it gives its lease back.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::kept::{Holder, Kept};
use super::rechecks::{again, look_again};
use super::state::{Handle, Supervisor};
use crate::protocol::{CallId, ClientId, InstanceId, KeptKey, KeptService, Reply};
use crate::run::process::ProcessId;
use crate::supervisor::context::Context;
use crate::supervisor::instance::{Order, Phase};
use crate::supervisor::messages::Internal;
use crate::terminal::{self, Shown, Stay};

impl Supervisor {
    /// Adds a kept instance to those that a lease holds.
    pub(super) fn hold_kept(&mut self, instance: InstanceId, holder: Holder, stays: Duration) {
        if let Some(kept) = self.kept.get_mut(&instance) {
            kept.holders.insert(holder);
            kept.stays = stays;
        }
        self.hold(instance, holder);
    }

    /// Removes what nobody has held for its time, what was replaced and is no longer held, and what did not come up.
    /// Returns when to check again.
    pub(super) fn expire(&mut self) -> Option<Instant> {
        let now = Instant::now();
        // A service goes with its unit, as another service of the unit may need it.
        let mut units: HashMap<(&str, bool), Option<Instant>> = HashMap::new();
        for kept in self.kept.values() {
            let ends = kept.ends();
            let of_unit = units.entry(kept.unit()).or_insert(ends);
            *of_unit = of_unit.zip(ends).map(|(one, other)| one.max(other));
        }
        let over = self.kept.iter().filter(|(instance, kept)| {
            let is_of_nobody = kept.holders.is_empty() && (kept.run.is_none() || kept.is_retired);
            let is_over = units[&kept.unit()].is_some_and(|ends| ends <= now);
            is_of_nobody && self.has_failed(**instance) || is_over
        });
        let over: Vec<InstanceId> = over.map(|(instance, _)| *instance).collect();
        let next = units.into_values().flatten().filter(|ends| *ends > now);
        let next = next.min();
        for instance in over {
            self.remove_kept(instance);
        }
        next
    }

    fn is_discarded(&self, instance: InstanceId) -> bool {
        let handle = self.instances.get(&instance);
        handle.is_some_and(|handle| matches!(*handle.phase.borrow(), Phase::Discarded))
    }

    /// Whether the instance did not come up.
    fn has_failed(&self, instance: InstanceId) -> bool {
        self.instances.get(&instance).is_none_or(|handle| {
            let phase = handle.phase.borrow();
            !matches!(*phase, Phase::Pending | Phase::Ready(_))
        })
    }

    fn remove_kept(&mut self, instance: InstanceId) -> Option<(Kept, Handle)> {
        self.shared.retain(|_, shared| *shared != instance);
        let kept = self.kept.remove(&instance)?;
        Some((kept, self.instances.remove(&instance)?))
    }

    /// Retires these instances, so that later launches get new ones.
    fn retire(&mut self, is_meant: impl Fn(&Kept) -> bool) {
        let kept = self.kept.iter_mut();
        let meant: Vec<InstanceId> = kept
            .filter(|(_, kept)| !kept.is_retired && is_meant(kept))
            .map(|(instance, kept)| {
                kept.is_retired = true;
                *instance
            })
            .collect();
        self.shared.retain(|_, shared| !meant.contains(shared));
    }

    /// Retires what was kept for an older form of this declaration.
    pub(super) fn retire_older(&mut self, key: &KeptKey) {
        self.retire(|kept| kept.key.slot == key.slot && kept.key.content != key.content);
    }

    /// Retires a unit that did not come up in another run, so that it is tried again, or whose setup was interrupted in
    /// this run.
    pub(super) fn retire_failed(&mut self, content: &str, run: Option<ProcessId>) {
        let failed = self.kept.iter().any(|(instance, kept)| {
            let is_others = kept.run.is_none() || kept.run != run;
            let again = is_others || self.is_discarded(*instance);
            kept.key.content == content && !kept.is_retired && again && self.has_failed(*instance)
        });
        if failed {
            self.replace_unit(content);
        }
    }

    /// Retires a unit with a service that is no longer usable, and reports it.
    pub(super) fn replace(&mut self, instance: InstanceId, why: &str) {
        let Some(kept) = self.kept.get(&instance).filter(|kept| !kept.is_retired) else {
            return;
        };
        let text = terminal::replaced(&kept.composition, &kept.field, why);
        let content = kept.key.content.clone();
        self.replace_unit(&content);
        self.show(Shown::Text(text));
    }

    fn replace_unit(&mut self, content: &str) {
        self.retire(|kept| kept.key.content == content);
        // The next unit has volumes of its own.
        *self.discards.entry(content.to_owned()).or_default() += 1;
    }

    /// Handles the end of a run that has used what is kept: its failures no longer matter, and its terminal shows what
    /// stays.
    pub(super) fn run_ended(&mut self, process: ProcessId, terminal: Option<&Path>) {
        for kept in self.kept.values_mut() {
            kept.run.take_if(|run| *run == process);
        }
        if let Some(terminal) = terminal {
            self.say_what_stays(terminal);
        }
    }

    fn say_what_stays(&self, terminal: &Path) {
        let kept = self.kept.iter();
        let kept = kept.filter(|(instance, kept)| !kept.is_retired && !self.has_failed(**instance));
        let stays: BTreeSet<Stay> = kept.map(|(_, kept)| kept.stay()).collect();
        if !stays.is_empty() {
            // The shell may have printed its prompt by now.
            let text = format!("\n{}", terminal::kept(stays.iter()));
            terminal::say_on(terminal, &text);
        }
    }

    /// The phase of a kept instance for one more launch. The instance is checked again with the settings of that
    /// launch, and another one replaces it if it is not as it should be.
    pub(super) fn check_kept(
        &mut self,
        instance: InstanceId,
        context: &Arc<Context>,
    ) -> watch::Receiver<Phase> {
        let (Some(handle), Some(kept)) =
            (self.instances.get(&instance), self.kept.get_mut(&instance))
        else {
            return watch::channel(Phase::Discarded).1;
        };
        if let Some((with, checking)) = &kept.checking
            && Arc::ptr_eq(with, context)
            && matches!(*checking.borrow(), Phase::Pending)
        {
            return checking.clone();
        }
        let info = match &*handle.phase.borrow() {
            Phase::Ready(info) => info.clone(),
            Phase::Failed(error) => return watch::channel(Phase::Failed(again(error))).1,
            _ => return handle.phase.clone(),
        };
        let internal = self.run.internal.clone();
        let order = Order::CheckKept(context.clone());
        let receiver = look_again(handle, info, order, move |error| {
            // Before anyone sees it and begins again.
            let why = error.report().what.clone();
            let _ = internal.send(Internal::Unkept { instance, why });
            Phase::Discarded
        });
        kept.checking = Some((context.clone(), receiver.clone()));
        receiver
    }

    /// What is kept.
    pub(super) fn list_kept(&self) -> Vec<KeptService> {
        let mut all: Vec<KeptService> = self
            .kept
            .iter()
            .filter_map(|(instance, kept)| Some(describe(kept, self.instances.get(instance)?)))
            .collect();
        all.sort_by(|one, other| {
            (&one.composition, &one.service).cmp(&(&other.composition, &other.service))
        });
        all
    }

    /// Removes everything that nobody holds, and lets the rest go with its holders. Answers when the former is removed.
    pub(super) fn drop_kept(&mut self, id: ClientId, call: CallId) {
        self.retire(|_| true);
        let dropped = self.list_kept();
        let unheld = self.kept.iter().filter(|(_, kept)| kept.holders.is_empty());
        let unheld: Vec<InstanceId> = unheld.map(|(instance, _)| *instance).collect();
        let mut removals: Vec<CancellationToken> = Vec::new();
        for instance in unheld {
            let removed = self.remove_kept(instance);
            removals.extend(removed.map(|(_, handle)| handle.removed.clone()));
        }
        if let Some(client) = self.clients.get_mut(&id) {
            client.answer_with(call, async move {
                for removal in removals {
                    removal.cancelled().await;
                }
                Ok(Reply::Kept(dropped))
            });
        }
    }
}

fn describe(kept: &Kept, handle: &Handle) -> KeptService {
    KeptService {
        composition: kept.composition.clone(),
        service: kept.field.clone(),
        image: kept.image.clone(),
        container: handle.container.get().cloned().unwrap_or_default(),
        idle: kept.holders.is_empty().then(|| kept.idle_since.elapsed()),
        stays: kept.stays,
    }
}
