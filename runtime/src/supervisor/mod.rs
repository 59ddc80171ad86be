//! The supervisor: owner of every container of a run.
//!
//! One task owns the table of instances and leases; everyone else sends it messages, a client through the connection,
//! the supervisor's own tasks through [`Internal`]. Each instance of a service is a task of its own that brings it up,
//! serves what is asked of it, and takes it down. Nothing here knows whose process it runs in.

mod container;
mod context;
mod events;
mod identity;
mod instance;
mod launch;
mod lines;
mod listening;
mod looking;
mod network;
mod ports;
mod prober;
mod reaper;
mod running;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use seatrial_model::Scope;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use crate::config::Config;
use crate::protocol::{
    Action, CallId, FollowEnd, InstanceId, Launch, LeaseId, LogLine, Message, Reply, Request,
    RequestBody, ServiceInfo,
};
use crate::{Error, ErrorKind, terminal};
use context::Context;
use instance::{Command, Gate, Instance, Phase};

/// Serves one client until it says [`RequestBody::Close`] or is gone, and removes everything before it returns.
pub(crate) async fn run(
    config: Result<Arc<Config>, Error>,
    requests: mpsc::UnboundedReceiver<Request>,
    messages: mpsc::UnboundedSender<Message>,
) {
    let (internal, from_tasks) = mpsc::unbounded_channel();
    let supervisor = Supervisor {
        context: config.map(|config| Context::new(config, internal.clone())),
        internal,
        messages,
        instances: HashMap::new(),
        shared: HashMap::new(),
        leases: HashMap::new(),
        hooks: HashMap::new(),
        follows: HashMap::new(),
        next: 1,
    };
    supervisor.serve(requests, from_tasks).await;
}

/// What the supervisor's own tasks tell it.
pub(crate) enum Internal {
    /// Call the user's function, and pass its outcome on.
    Hook {
        identity: String,
        binding: usize,
        service: Box<ServiceInfo>,
        outcome: oneshot::Sender<Result<(), String>>,
    },
    /// A launch has ended without success: what it holds goes.
    Failed { lease: LeaseId },
    /// A followed log has ended.
    Unfollowed { follow: CallId },
}

/// Who shares an instance: the declaration, and the service in it.
type SharedKey = (String, usize);

struct Supervisor {
    context: Result<Arc<Context>, Error>,
    internal: mpsc::UnboundedSender<Internal>,
    messages: mpsc::UnboundedSender<Message>,
    instances: HashMap<InstanceId, Handle>,
    shared: HashMap<SharedKey, InstanceId>,
    leases: HashMap<LeaseId, Vec<InstanceId>>,
    hooks: HashMap<CallId, oneshot::Sender<Result<(), String>>>,
    follows: HashMap<CallId, AbortHandle>,
    next: u64,
}

/// The table's side of an instance.
struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    phase: watch::Receiver<Phase>,
    /// Tells of each start but the first, and closes when the instance has ended.
    starts: watch::Receiver<()>,
    address: network::HostNumber,
    /// Dropping it ends the instance.
    _alive: watch::Sender<()>,
}

impl Supervisor {
    async fn serve(
        mut self,
        mut requests: mpsc::UnboundedReceiver<Request>,
        mut internal: mpsc::UnboundedReceiver<Internal>,
    ) {
        let closing = loop {
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Request { call, body: RequestBody::Close }) => break Some(call),
                    Some(request) => self.request(request),
                    None => break None,
                },
                Some(message) = internal.recv() => self.internal(message),
            }
        };
        self.close().await;
        self.answer_closes(closing, requests).await;
    }

    /// Ends every instance and waits until nothing is left on the engine.
    async fn close(&mut self) {
        for (_, follow) in self.follows.drain() {
            follow.abort();
        }
        self.leases.clear();
        self.shared.clear();
        self.instances.clear();
        if let Ok(context) = &self.context {
            context.close().await;
        }
    }

    /// Answers whoever asked for the end, also while it was under way. Launches are not answered any more: their test
    /// is about to be gone.
    async fn answer_closes(
        &self,
        first: Option<CallId>,
        mut requests: mpsc::UnboundedReceiver<Request>,
    ) {
        let Some(first) = first else { return };
        self.answer(first, Ok(Reply::Done));
        while let Some(request) = requests.recv().await {
            if matches!(request.body, RequestBody::Close) {
                self.answer(request.call, Ok(Reply::Done));
            }
        }
    }

    fn answer(&self, call: CallId, outcome: Result<Reply, Error>) {
        // A client that is gone wants no answer.
        let _ = self.messages.send(Message::Answer { call, outcome });
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn request(&mut self, Request { call, body }: Request) {
        match body {
            RequestBody::Launch { lease, launch } => self.launch(call, lease, Arc::new(*launch)),
            RequestBody::Release { lease } => {
                self.release(lease);
                self.answer(call, Ok(Reply::Done));
            }
            RequestBody::Act {
                instance,
                action: Action::Follow { until },
            } => self.follow(call, instance, until),
            RequestBody::Act { instance, action } => self.act(call, instance, action),
            RequestBody::HookEnded { hook, outcome } => {
                if let Some(waiting) = self.hooks.remove(&hook) {
                    let _ = waiting.send(outcome);
                }
            }
            RequestBody::Unfollow { follow } => {
                if let Some(task) = self.follows.remove(&follow) {
                    task.abort();
                }
            }
            RequestBody::Close => unreachable!("the loop ends with this message"),
        }
    }

    fn internal(&mut self, message: Internal) {
        match message {
            Internal::Hook {
                identity,
                binding,
                service,
                outcome,
            } => {
                let hook = self.number();
                self.hooks.insert(hook, outcome);
                let _ = self.messages.send(Message::Hook {
                    hook,
                    identity,
                    binding,
                    service,
                });
            }
            Internal::Failed { lease } => self.release(lease),
            Internal::Unfollowed { follow } => {
                self.follows.remove(&follow);
            }
        }
    }

    fn launch(&mut self, call: CallId, lease: LeaseId, launch: Arc<Launch>) {
        let context = match &self.context {
            Ok(context) => context.clone(),
            Err(error) => {
                let error = error.clone();
                return self.answer(call, Err(error));
            }
        };
        let begun = Instant::now();
        let redactor = Arc::new(container::redactor(&launch));
        let volumes = Arc::new(container::Volumes::new(&context, lease, &launch));

        // First a number and a gate for each, so that every instance can be told of the others.
        let mut gates: Vec<Gate> = Vec::new();
        let mut starting = Vec::new();
        for (index, service) in launch.plan.services.iter().enumerate() {
            let key = (launch.identity.clone(), index);
            let shared = match service.scope {
                Scope::Test => None,
                Scope::Binary => self.shared.get(&key).copied(),
            };
            if let Some(instance) = shared
                && let Some(handle) = self.instances.get(&instance)
            {
                gates.push(Gate {
                    address: handle.address,
                    phase: launch::check_again(handle),
                });
                self.leases.entry(lease).or_default();
                continue;
            }
            let instance = self.number();
            let (phase, phase_seen) = watch::channel(Phase::Pending);
            let (alive, ended) = watch::channel(());
            let (commands, inbox) = mpsc::unbounded_channel();
            let (started, starts) = watch::channel(());
            let address = context.next_host();
            self.instances.insert(
                instance,
                Handle {
                    commands,
                    phase: phase_seen.clone(),
                    starts,
                    address,
                    _alive: alive,
                },
            );
            match service.scope {
                Scope::Test => self.leases.entry(lease).or_default().push(instance),
                Scope::Binary => {
                    self.shared.insert(key, instance);
                }
            }
            gates.push(Gate {
                address,
                phase: phase_seen,
            });
            starting.push((index, instance, phase, started, ended, inbox));
        }
        for (index, instance, phase, starts, ended, inbox) in starting {
            let instance = Instance {
                context: context.clone(),
                launch: launch.clone(),
                index,
                id: instance,
                gates: gates.clone(),
                redactor: redactor.clone(),
                volumes: volumes.clone(),
                starts,
                begun,
                _presence: context.reaper.presence(),
            };
            tokio::spawn(instance.run(phase, ended, inbox));
        }
        let waiting = launch::Waiting {
            context,
            launch,
            gates,
            begun,
        };
        let messages = self.messages.clone();
        let internal = self.internal.clone();
        tokio::spawn(async move {
            // The launch's error is on its way before what it holds is taken down.
            let outcome = waiting.outcome().await;
            if outcome.is_err() {
                let _ = internal.send(Internal::Failed { lease });
            }
            let _ = messages.send(Message::Answer {
                call,
                outcome: outcome.map(Reply::Launched),
            });
        });
    }

    /// Drops the lease's hold; its own instances end in the background.
    fn release(&mut self, lease: LeaseId) {
        for instance in self.leases.remove(&lease).unwrap_or_default() {
            self.instances.remove(&instance);
        }
    }

    fn act(&mut self, call: CallId, instance: InstanceId, action: Action) {
        let Some(handle) = self.instances.get(&instance) else {
            return self.answer(call, Err(gone()));
        };
        let (answer, answered) = oneshot::channel();
        let _ = handle.commands.send(Command { action, answer });
        let messages = self.messages.clone();
        tokio::spawn(async move {
            let outcome = answered.await.unwrap_or_else(|_| Err(gone()));
            let _ = messages.send(Message::Answer { call, outcome });
        });
    }

    fn follow(&mut self, call: CallId, instance: InstanceId, until: FollowEnd) {
        let (Some(handle), Ok(context)) = (self.instances.get(&instance), &self.context) else {
            return self.answer(call, Err(gone()));
        };
        let Phase::Ready(info) = handle.phase.borrow().clone() else {
            return self.answer(call, Err(gone()));
        };
        let messages = self.messages.clone();
        let internal = self.internal.clone();
        let context = context.clone();
        let starts = handle.starts.clone();
        let following = tokio::spawn(async move {
            let send = |line: LogLine| {
                let _ = messages.send(Message::Line { call, line });
            };
            let outcome = lines::follow(&context, &info.container, until, starts, send).await;
            let _ = messages.send(Message::Answer {
                call,
                outcome: outcome.map(|()| Reply::Done),
            });
            let _ = internal.send(Internal::Unfollowed { follow: call });
        });
        self.follows.insert(call, following.abort_handle());
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Operation, "the service is gone").with(|report| {
        report.help = Some(
            "a service lives as long as its scope: keep what uses it within the test, or give it `scope = binary`"
                .to_owned(),
        );
    })
}

/// Tells people of something that could not be removed.
fn report_leftover(what: &str, error: &dyn std::fmt::Display) {
    terminal::warn(&format!("{what} could not be removed: {error}"));
}
