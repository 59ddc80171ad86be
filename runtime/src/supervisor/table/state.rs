//! The table itself: clients, instances and leases, and who holds what.

use std::collections::HashMap;
use std::sync::Arc;

use seatrial_model::Scope;
use tokio::sync::{SetOnce, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::clients::Client;
use super::family::Families;
use super::kept::{Holder, Kept};
use crate::protocol::{CallId, ClientId, InstanceId, Launch, LeaseId, Message};
use crate::supervisor::context::{Context, Run};
use crate::supervisor::identity::Role;
use crate::supervisor::instance::{Activity, Command, Dependency, Phase};
use crate::supervisor::messages::{Hook, Input, Internal};
use crate::supervisor::network::HostNumber;
use crate::supervisor::sweep::History;
use crate::supervisor::volumes::Volumes;
use crate::terminal::Shown;

/// The users of a shared instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SharedKey {
    /// The client whose lifetime it has. `None` if it lives as long as the run.
    pub(super) client: Option<ClientId>,
    /// The declaration.
    pub(super) identity: String,
    /// The service in the declaration.
    pub(super) service: usize,
}

/// Everything that a supervisor has.
pub(in crate::supervisor) struct Supervisor {
    pub(super) inputs: mpsc::UnboundedReceiver<Input>,
    pub(super) internal: mpsc::UnboundedReceiver<Internal>,
    pub(super) run: Arc<Run>,
    /// One context for each distinct settings.
    pub(super) contexts: Vec<Arc<Context>>,
    pub(super) clients: HashMap<ClientId, Client>,
    pub(super) instances: HashMap<InstanceId, Handle>,
    pub(super) shared: HashMap<SharedKey, InstanceId>,
    /// What is launched again and again, and what is brought up for it.
    pub(super) families: Families,
    /// How often the shared instances of a declaration, or those of a kept unit, were discarded.
    pub(super) discards: HashMap<String, u32>,
    /// The kept services of a keeper.
    pub(super) kept: HashMap<InstanceId, Kept>,
    /// The keeper's services on the run's network, by container.
    pub(super) attached: HashMap<String, InstanceId>,
    /// Calls of users' functions, by number.
    pub(super) hooks: HashMap<CallId, Hook>,
    pub(super) next: u64,
    /// The unfinished work on images, for clients that come later.
    pub(super) work: HashMap<u64, Shown>,
    /// Whether no more clients will come.
    pub(super) run_ended: bool,
    /// Whether the supervisor was asked to end, whoever is connected.
    pub(in crate::supervisor) ends_at_once: bool,
    /// The clients that have sent `Close` and wait until everything is removed.
    pub(super) closing: Vec<(ClientId, CallId, mpsc::UnboundedSender<Message>)>,
}

/// The table's side of an instance.
pub(super) struct Handle {
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) phase: watch::Receiver<Phase>,
    /// The check of a shared instance that is under way, for all who ask meanwhile.
    pub(super) checking: Option<watch::Receiver<Phase>>,
    /// The container's id, once it is started.
    pub(super) container: Arc<SetOnce<String>>,
    /// Notified of each start but the first. It closes when the instance has ended.
    pub(super) starts: watch::Receiver<()>,
    /// The number of actions that have changed it, for those who may depend on what it was.
    pub(super) changes: u64,
    pub(super) address: HostNumber,
    /// The volumes that it may share with others.
    pub(super) volumes: Option<Arc<Volumes>>,
    pub(super) activity: Arc<Activity>,
    /// Cancelled when its containers are removed.
    pub(super) removed: CancellationToken,
    /// Dropping it ends the instance.
    pub(super) _alive: DropGuard,
}

impl Handle {
    /// The instance as others of its launch see it.
    pub(super) fn dependency(&self) -> Dependency {
        Dependency {
            address: self.address,
            phase: self.phase.clone(),
            activity: self.activity.clone(),
            commands: Some(self.commands.clone()),
        }
    }
}

/// The users of a service of a launch. `None` if each launch has its own.
pub(super) fn shared_key(
    launch: &Launch,
    service: usize,
    declaration: &str,
    client: ClientId,
) -> Option<SharedKey> {
    let client = match launch.plan.services[service].scope {
        Scope::Test => return None,
        Scope::Binary => Some(client),
        Scope::Run | Scope::Keep => None,
    };
    Some(SharedKey {
        client,
        identity: declaration.to_owned(),
        service,
    })
}

impl Supervisor {
    pub(in crate::supervisor) fn new(
        role: Role,
        history: History,
        inputs: mpsc::UnboundedReceiver<Input>,
    ) -> Self {
        let (to_table, internal) = mpsc::unbounded_channel();
        Self {
            inputs,
            internal,
            run: Run::new(role, history, to_table),
            contexts: Vec::new(),
            clients: HashMap::new(),
            instances: HashMap::new(),
            shared: HashMap::new(),
            families: Families::default(),
            discards: HashMap::new(),
            kept: HashMap::new(),
            attached: HashMap::new(),
            hooks: HashMap::new(),
            next: 1,
            work: HashMap::new(),
            // A keeper belongs to no run.
            run_ended: role == Role::Keeper,
            ends_at_once: false,
            closing: Vec::new(),
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Shows something at every client.
    pub(super) fn show(&mut self, shown: Shown) {
        for client in self.clients.values() {
            client.send(Message::Show(shown.clone()));
        }
        if let Shown::Progress(report) = &shown {
            match report.begins_or_ends() {
                Some((task, true)) => {
                    self.work.insert(task, shown);
                }
                Some((task, false)) => {
                    self.work.remove(&task);
                }
                None => {}
            }
        }
    }

    /// Drops what a lease holds. Its own instances end in the background.
    pub(super) fn release(&mut self, client: ClientId, lease: LeaseId) {
        self.families.released(client, lease);
        let Some(holder) = self.clients.get_mut(&client) else {
            return;
        };
        for instance in holder.take_lease(lease) {
            self.let_go(instance, (client, lease));
        }
    }

    /// Adds an instance to what a lease holds, until [`let_go`](Self::let_go).
    pub(super) fn hold(&mut self, instance: InstanceId, (client, lease): Holder) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.hold(lease, instance);
        }
    }

    /// Handles a lease that is given back. What only it held goes or, if it is kept, stays for its time.
    pub(super) fn let_go(&mut self, instance: InstanceId, holder: Holder) {
        match self.kept.get_mut(&instance) {
            None => drop(self.instances.remove(&instance)),
            Some(kept) => {
                kept.holders.remove(&holder);
                kept.idle_since = Instant::now();
            }
        }
    }
}
