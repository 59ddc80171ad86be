//! A launch: takes or begins an instance for each service, and reports that all are ready, or why not.

use std::collections::HashMap;
use std::sync::Arc;

use seatrial_model::secret::Redactor;
use tokio::sync::{SetOnce, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::attached::Attached;
use super::kept;
use super::rechecks::check_again;
use super::state::{Handle, SharedKey, Supervisor, shared_key};
use super::waiting::{NotLaunched, Waiting};
use crate::protocol::{CallId, ClientId, InstanceId, Kept, Launch, LeaseId, Reply, ServiceInfo};
use crate::supervisor::context::Context;
use crate::supervisor::identity::Role;
use crate::supervisor::instance::{
    Activity, Command, Dependency, Instance, Phase, Taken, Taker, gone,
};
use crate::supervisor::messages::{Internal, answer};
use crate::supervisor::namespaces::Seat;
use crate::supervisor::network::HostNumber;
use crate::supervisor::spec;
use crate::supervisor::volumes::Volumes;

impl Supervisor {
    /// Launches a composition for a client.
    pub(super) fn launch(
        &mut self,
        id: ClientId,
        call: CallId,
        lease: LeaseId,
        launch: Arc<Launch>,
        until: Option<Instant>,
    ) {
        self.purge_discarded(&launch.identity);
        let wanted = launch.kept.values().filter_map(|kept| match kept {
            Kept::Wanted { key, .. } => Some(key),
            Kept::Running(_) => None,
        });
        let run = self.clients.get(&id).and_then(|client| client.process);
        for key in wanted {
            self.retire_older(key);
            self.retire_failed(&key.content, run);
        }
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let context = match &client.context {
            Ok(context) => context.clone(),
            Err(error) => return client.answer(call, Err(error.clone())),
        };
        context.forget_failures();
        if self.run.role == Role::Keeper {
            context.images.forget();
        }
        client.launches(&launch.identity);
        client.begin_lease(lease);
        let begun = std::time::Instant::now();
        let redactor = Arc::new(spec::redactor(&launch));

        // First a number and a dependency for each service, so that every instance knows the others.
        let mut dependencies: Vec<Dependency> = Vec::new();
        let mut asked = Vec::new();
        let mut starting = Vec::new();
        let family = self.note_use(&context, &launch, (id, lease));
        let spare = family.and_then(|family| self.take_spare(family, &launch, id));
        for index in 0..launch.plan.services.len() {
            if launch.plan.is_on_demand(index) {
                dependencies.push(Dependency::absent());
                continue;
            }
            let kept = launch.kept.get(&index);
            let declaration = match kept {
                None if self.run.role == Role::Keeper => {
                    // The service belongs to a run, and nothing that is kept needs it.
                    dependencies.push(Dependency::absent());
                    continue;
                }
                None => &launch.identity,
                Some(Kept::Wanted { key, .. }) => &key.content,
                Some(Kept::Running(info)) => {
                    dependencies.push(self.attach(&context, info));
                    asked.push(index);
                    continue;
                }
            };
            asked.push(index);
            if let Some((instance, dependency)) =
                spare.as_ref().and_then(|spare| spare.instance(index))
            {
                dependencies.push(dependency);
                self.hold(instance, (id, lease));
                continue;
            }
            let key = shared_key(&launch, index, declaration, id);
            if let Some(key) = &key
                && let Some(instance) = self.shared.get(key).copied()
                && let Some(handle) = self.instances.get_mut(&instance)
            {
                let dependency = handle.dependency();
                let phase = match kept {
                    Some(_) => self.check_kept(instance, &context),
                    None => check_again(handle),
                };
                dependencies.push(Dependency {
                    phase,
                    ..dependency
                });
                if let Some(Kept::Wanted { stays, .. }) = kept {
                    self.hold_kept(instance, (id, lease), *stays);
                }
                continue;
            }
            self.next += 1;
            let instance = self.next;
            let seat = context.seat(&launch.plan.services[index]);
            let (handle, new) = New::instance(index, instance, seat.host());
            dependencies.push(handle.dependency());
            self.instances.insert(instance, handle);
            if let Some(Kept::Wanted { key, stays }) = kept {
                let kept = kept::Kept::new(key.clone(), &launch.plan, index, *stays, run);
                self.kept.insert(instance, kept);
                self.hold_kept(instance, (id, lease), *stays);
            }
            match key {
                Some(key) => drop(self.shared.insert(key, instance)),
                None => self.hold(instance, (id, lease)),
            }
            starting.push((new, seat, declaration.clone()));
        }
        let mut volumes = SharedVolumes::new(&context, (id, lease), &self.discards);
        let beginning = Beginning {
            context: context.clone(),
            taker: Taker::of(Taken::by(id, &launch)),
            launch: launch.clone(),
            dependencies: dependencies.clone(),
            redactor,
            begun,
            followed: None,
        };
        for (new, seat, declaration) in starting {
            let volumes = volumes.of(&declaration);
            if let Some(handle) = self.instances.get_mut(&new.instance) {
                handle.volumes = Some(volumes.clone());
            }
            beginning.begin(new, seat, volumes);
        }
        if let Some(spare) = spare {
            tokio::spawn(spare.run());
        }
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let messages = client.messages.clone();
        let waiting = Waiting {
            context,
            launch: launch.clone(),
            dependencies,
            asked,
            begun,
            messages: messages.clone(),
        };
        let internal = self.run.internal.clone();
        client.spawn(async move {
            // The launch's error is on its way before its instances are taken down.
            let outcome = match waiting.outcome(until).await {
                Ok(services) => {
                    if let Some(family) = family {
                        let _ = internal.send(Internal::Launched { family });
                    }
                    Ok(Reply::Launched(services))
                }
                Err(NotLaunched::Failed(error)) => {
                    let _ = internal.send(Internal::Failed { client: id, lease });
                    Err(*error)
                }
                Err(NotLaunched::Discarded) => {
                    let _ = internal.send(Internal::Relaunch {
                        client: id,
                        call,
                        lease,
                        launch,
                        until,
                    });
                    return;
                }
            };
            answer(&messages, call, outcome);
        });
    }

    /// A dependency for a keeper's service, which is connected to the run's network once for all its users.
    pub(super) fn attach(&mut self, context: &Arc<Context>, info: &ServiceInfo) -> Dependency {
        if let Some(instance) = self.attached.get(&info.container)
            && let Some(handle) = self.instances.get(instance)
            && !matches!(*handle.phase.borrow(), Phase::Failed(_))
        {
            return Dependency {
                address: handle.address,
                phase: handle.phase.clone(),
                activity: handle.activity.clone(),
                commands: None,
            };
        }
        let instance = self.number();
        let (handle, new) = New::instance(0, instance, self.run.next_host());
        let dependency = Dependency {
            address: handle.address,
            phase: handle.phase.clone(),
            activity: handle.activity.clone(),
            commands: None,
        };
        let attached = Attached {
            context: context.clone(),
            address: dependency.address,
            info: Arc::new(info.clone()),
            _task_guard: self.run.reaper.task_guard(),
        };
        tokio::spawn(attached.run(new.phase, new.ended, new.inbox));
        self.instances.insert(instance, handle);
        self.attached.insert(info.container.clone(), instance);
        dependency
    }

    /// Begins a launch again whose instance was discarded.
    pub(super) fn relaunch(
        &mut self,
        id: ClientId,
        call: CallId,
        lease: LeaseId,
        launch: Arc<Launch>,
        until: Option<Instant>,
    ) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        // The lease was given back meanwhile, so nobody waits for it.
        if !client.has_lease(lease) {
            return client.answer(call, Err(gone()));
        }
        self.release(id, lease);
        self.launch(id, call, lease, launch, until);
    }

    /// Discards all shared instances of a declaration if one of them is discarded, as they may share volumes with it.
    /// No test uses any of them: a launch is over only when all its services are ready.
    fn purge_discarded(&mut self, identity: &str) {
        let of_declaration = |key: &SharedKey| key.identity == identity;
        let instances = &self.instances;
        let is_discarded = |instance: &InstanceId| {
            let handle = instances.get(instance);
            handle.is_some_and(|handle| matches!(*handle.phase.borrow(), Phase::Discarded))
        };
        let mut own = self.shared.iter().filter(|(key, _)| of_declaration(key));
        if !own.any(|(_, instance)| is_discarded(instance)) {
            return;
        }
        for (_, instance) in self.shared.extract_if(|key, _| of_declaration(key)) {
            self.instances.remove(&instance);
        }
        *self.discards.entry(identity.to_owned()).or_default() += 1;
    }
}

/// The volumes of a launch's instances, by the declaration or unit that shares them.
struct SharedVolumes<'a> {
    context: &'a Context,
    holder: (ClientId, LeaseId),
    discards: &'a HashMap<String, u32>,
    made: HashMap<String, Arc<Volumes>>,
}

impl<'a> SharedVolumes<'a> {
    fn new(
        context: &'a Context,
        holder: (ClientId, LeaseId),
        discards: &'a HashMap<String, u32>,
    ) -> Self {
        Self {
            context,
            holder,
            discards,
            made: HashMap::new(),
        }
    }

    fn of(&mut self, declaration: &str) -> Arc<Volumes> {
        let (context, holder) = (self.context, self.holder);
        let generation = self.discards.get(declaration).copied();
        let volumes = self
            .made
            .entry(declaration.to_owned())
            .or_insert_with(|| Arc::new(Volumes::new(context, holder, declaration, generation)));
        volumes.clone()
    }
}

/// What the instances that begin together have in common.
pub(super) struct Beginning {
    pub(super) context: Arc<Context>,
    pub(super) taker: Taker,
    pub(super) launch: Arc<Launch>,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) redactor: Arc<Redactor>,
    pub(super) begun: std::time::Instant,
    /// See [`Instance::followed`].
    pub(super) followed: Option<CancellationToken>,
}

impl Beginning {
    /// Begins the life of an instance.
    pub(super) fn begin(&self, new: New, seat: Seat, volumes: Arc<Volumes>) {
        let instance = Instance {
            context: self.context.clone(),
            taker: self.taker.clone(),
            launch: self.launch.clone(),
            index: new.index,
            id: new.instance,
            seat,
            dependencies: self.dependencies.clone(),
            redactor: self.redactor.clone(),
            volumes,
            container: new.container,
            followed: self.followed.clone(),
            activity: new.activity,
            starts: new.starts,
            removed: Arc::new(new.removed),
            begun: self.begun,
            _task_guard: self.context.run.reaper.task_guard(),
        };
        tokio::spawn(instance.run(new.phase, new.ended, new.inbox));
    }
}

/// The instance's side of a new instance.
pub(super) struct New {
    index: usize,
    instance: InstanceId,
    phase: watch::Sender<Phase>,
    container: Arc<SetOnce<String>>,
    activity: Arc<Activity>,
    starts: watch::Sender<()>,
    ended: CancellationToken,
    removed: DropGuard,
    inbox: mpsc::UnboundedReceiver<Command>,
}

impl New {
    /// Both sides of an instance that is about to begin.
    pub(super) fn instance(
        index: usize,
        instance: InstanceId,
        address: HostNumber,
    ) -> (Handle, Self) {
        let (phase, phase_seen) = watch::channel(Phase::Pending);
        let ended = CancellationToken::new();
        let (commands, inbox) = mpsc::unbounded_channel();
        let (started, starts) = watch::channel(());
        let removed = CancellationToken::new();
        let container = Arc::<SetOnce<String>>::default();
        let activity = Arc::<Activity>::default();
        let handle = Handle {
            commands,
            phase: phase_seen,
            checking: None,
            changes: 0,
            container: container.clone(),
            starts,
            address,
            volumes: None,
            activity: activity.clone(),
            removed: removed.clone(),
            _alive: ended.clone().drop_guard(),
        };
        let new = Self {
            index,
            instance,
            phase,
            container,
            activity,
            starts: started,
            ended,
            removed: removed.drop_guard(),
            inbox,
        };
        (handle, new)
    }
}
