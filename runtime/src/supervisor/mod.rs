//! The supervisor: owner of every container of a run.
//!
//! One task owns the table of clients, instances and leases; everyone else sends it messages, a client through its
//! connection, the supervisor's own tasks through [`Internal`]. Each instance of a service is a task of its own that brings
//! it up, serves what is asked of it, and takes it down. Nothing here knows whose process it runs in.

mod actions;
mod adoption;
mod attached;
mod beside;
mod builds;
mod checks;
mod clients;
mod context;
mod creation;
mod diagnosis;
mod doing;
mod error_context;
mod events;
mod exits;
mod head;
mod hooks;
mod host_files;
mod host_ports;
mod identity;
mod inbox;
mod instance;
mod journal;
mod kept;
mod launch;
mod life;
mod lines;
mod links;
mod meanwhile;
mod messages;
mod network;
mod once;
mod orders;
mod owner;
mod phase;
mod ports;
mod prober;
#[cfg(target_os = "linux")]
pub(crate) mod process;
mod queries;
mod reaper;
mod running;
mod serve;
mod setup;
mod spec;
mod streams;
mod sweep;
mod tmpfs;
mod volumes;
mod waiting;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::protocol::{
    Action, CallId, Caller, ClientId, FollowEnd, InstanceId, Introduction, LeaseId, Message, Reply,
    Request, RequestBody,
};
use crate::settings::Settings;
use crate::terminal::Shown;
use crate::{Error, ErrorKind};
use clients::Client;
use context::{Context, Run};
use diagnosis::engine_error;
use doing::Doing;
pub(crate) use identity::Role;
use kept::Kept;
#[cfg(any(test, fuzzing))]
pub(crate) use lines::fuzzing;
pub(crate) use messages::Input;
use messages::{Hook, Internal, answer};
use orders::{Command, Order, gone};
use phase::Phase;
use sweep::History;

/// Serves one client, whose run ends with it, and removes everything before it returns.
pub(crate) async fn run(
    settings: Result<Settings, Error>,
    mut requests: mpsc::UnboundedReceiver<Request>,
    messages: mpsc::UnboundedSender<Message>,
) {
    const CLIENT: ClientId = 1;
    let (inputs, from_clients) = mpsc::unbounded_channel();
    let forward = async move {
        // Sending fails only where the supervisor has panicked.
        let input = |input| drop(inputs.send(input));
        input(Input::Connected {
            client: CLIENT,
            messages,
        });
        input(Input::RunGoesOn(false));
        let introduction = Introduction {
            settings,
            process: None,
        };
        input(Input::Request {
            client: CLIENT,
            request: Request {
                call: 0,
                body: RequestBody::Introduce(Box::new(introduction)),
            },
        });
        while let Some(request) = requests.recv().await {
            input(Input::Request {
                client: CLIENT,
                request,
            });
        }
        input(Input::Disconnected { client: CLIENT });
    };
    let supervise = async {
        let mut supervisor = Supervisor::new(Role::Run, History::default(), from_clients);
        supervisor.serve().await;
        supervisor.close().await;
        supervisor.answer_closes().await;
    };
    tokio::join!(forward, supervise);
}

/// Who shares an instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SharedKey {
    /// The client that it lives as long as; none where it lives as long as the run.
    client: Option<ClientId>,
    /// The declaration.
    identity: String,
    /// The service in it.
    service: usize,
}

pub(crate) struct Supervisor {
    inputs: mpsc::UnboundedReceiver<Input>,
    internal: mpsc::UnboundedReceiver<Internal>,
    run: Arc<Run>,
    /// One for each distinct settings.
    contexts: Vec<Arc<Context>>,
    clients: HashMap<ClientId, Client>,
    instances: HashMap<InstanceId, Handle>,
    shared: HashMap<SharedKey, InstanceId>,
    /// How often the shared instances of a declaration were discarded, or those of a unit that is kept, where they were.
    discards: HashMap<String, u32>,
    /// What is kept, in a keeper.
    kept: HashMap<InstanceId, Kept>,
    /// The services of a keeper that are on the run's network, by container.
    attached: HashMap<String, InstanceId>,
    /// Calls of users' functions, by number.
    hooks: HashMap<CallId, Hook>,
    next: u64,
    /// The work on images that has begun and not ended, for clients that come later.
    work: HashMap<u64, Shown>,
    /// Whether no more clients will come.
    run_ended: bool,
    /// Whether it has been asked to end, whoever is connected.
    ends_at_once: bool,
    /// Who has said [`RequestBody::Close`] and waits until everything is removed.
    closing: Vec<(ClientId, CallId, mpsc::UnboundedSender<Message>)>,
}

/// The table's side of an instance.
struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    phase: watch::Receiver<Phase>,
    /// The check of a shared instance that is under way, for all who ask meanwhile.
    checking: Option<watch::Receiver<Phase>>,
    /// Its container, once it is started.
    container: Arc<OnceLock<String>>,
    /// Tells of each start but the first, and closes when the instance has ended.
    starts: watch::Receiver<()>,
    address: network::HostNumber,
    doing: Arc<Doing>,
    /// Closes when its containers are removed.
    removed: watch::Receiver<()>,
    /// Dropping it ends the instance.
    _alive: watch::Sender<()>,
}

impl Supervisor {
    pub(crate) fn new(
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
            discards: HashMap::new(),
            kept: HashMap::new(),
            attached: HashMap::new(),
            hooks: HashMap::new(),
            next: 1,
            work: HashMap::new(),
            // A keeper belongs to none.
            run_ended: role == Role::Keeper,
            ends_at_once: false,
            closing: Vec::new(),
        }
    }

    /// Serves its clients until none is left and none will come, or it is asked to end.
    pub(crate) async fn serve(&mut self) {
        loop {
            // What has come by now may keep the run from being over.
            while let Ok(input) = self.inputs.try_recv() {
                self.input(input);
            }
            let next_end = self.expire();
            let is_used = !self.clients.is_empty() || !self.kept.is_empty();
            if self.ends_at_once || self.run_ended && !is_used {
                return;
            }
            let until_next_end = async {
                match next_end {
                    Some(end) => tokio::time::sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                input = self.inputs.recv() => match input {
                    Some(input) => self.input(input),
                    None => return,
                },
                Some(message) = self.internal.recv() => self.internal(message),
                () = until_next_end => {}
            }
        }
    }

    /// Ends every instance and waits until nothing is left on the engine.
    pub(crate) async fn close(&mut self) {
        self.clients.clear();
        self.hooks.clear();
        self.shared.clear();
        self.kept.clear();
        self.attached.clear();
        self.instances.clear();
        self.run.close().await;
    }

    /// Answers whoever asked for the end, also while it was under way. Launches are not answered any more: their test
    /// is about to be gone.
    async fn answer_closes(&mut self) {
        let mut known = HashMap::new();
        for (client, call, messages) in self.closing.drain(..) {
            answer(&messages, call, Ok(Reply::Done));
            known.insert(client, messages);
        }
        while let Some(input) = self.inputs.recv().await {
            match input {
                Input::Connected { client, messages } => {
                    known.insert(client, messages);
                }
                Input::Request {
                    client,
                    request:
                        Request {
                            call,
                            body: RequestBody::Close,
                        },
                } => {
                    if let Some(messages) = known.get(&client) {
                        answer(messages, call, Ok(Reply::Done));
                    }
                }
                _ => {}
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Connected { client, messages } => {
                let client_of = Client::new(messages);
                for begun in self.work.values() {
                    client_of.send(Message::Show(begun.clone()));
                }
                self.clients.insert(client, client_of);
            }
            Input::Request { client, request } => self.request(client, request),
            Input::Disconnected { client } => self.disconnected(client),
            Input::Show(shown) => self.show(shown),
            Input::RunGoesOn(goes_on) => self.run_ended = !goes_on,
            Input::RunEnded { process, terminal } => self.run_ended(process, terminal.as_deref()),
            Input::End => self.ends_at_once = true,
        }
    }

    /// Has every client show something.
    fn show(&mut self, shown: Shown) {
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

    fn request(&mut self, id: ClientId, Request { call, body }: Request) {
        let Some(client) = self.clients.get_mut(&id) else {
            // It has said `Close`; where an exit and a signal come together, twice.
            let mut closing = self.closing.iter();
            let before = closing.find(|(client, ..)| *client == id);
            if let (RequestBody::Close, Some((.., messages))) = (&body, before) {
                self.closing.push((id, call, messages.clone()));
            }
            return;
        };
        match body {
            RequestBody::Introduce(introduction) => {
                let context = introduction.settings.map(|settings| self.context(settings));
                if let Some(client) = self.clients.get_mut(&id) {
                    client.context = context;
                    client.process = introduction.process;
                }
            }
            RequestBody::Launch {
                lease,
                launch,
                within,
            } => {
                let until = within.and_then(|within| Instant::now().checked_add(within));
                self.launch(id, call, lease, (*launch).into(), until);
            }
            RequestBody::Release { lease } => {
                client.answer(call, Ok(Reply::Done));
                self.release(id, lease);
            }
            RequestBody::Act {
                instance,
                action: Action::Follow { until },
                ..
            } => self.follow(id, call, instance, until),
            RequestBody::Act {
                instance,
                action,
                caller,
            } => self.act(id, call, instance, action, caller),
            RequestBody::HookEnded { hook, outcome } => self.hook_ended(hook, outcome),
            RequestBody::HaveRead { stream, units } => client.have_read(stream, units),
            RequestBody::StopStream { stream } => client.stop_stream(stream),
            RequestBody::Piece { copy, bytes } => client.piece(copy, bytes),
            RequestBody::EndOfPieces { copy, outcome } => client.end_of_pieces(copy, outcome),
            RequestBody::ListKept => {
                let kept = self.list_kept();
                self.clients[&id].answer(call, Ok(Reply::Kept(kept)));
            }
            RequestBody::DropKept => self.drop_kept(id, call),
            RequestBody::Close => {
                let messages = client.messages.clone();
                self.disconnected(id);
                if self.run_ended && self.clients.is_empty() {
                    self.closing.push((id, call, messages));
                } else {
                    answer(&messages, call, Ok(Reply::Done));
                }
            }
        }
    }

    /// The context for these settings: one and the same for equal ones.
    fn context(&mut self, settings: Settings) -> Arc<Context> {
        let known = self.contexts.iter().find(|known| known.is_of(&settings));
        known.cloned().unwrap_or_else(|| {
            let context = Context::new(self.run.clone(), settings);
            self.contexts.push(context.clone());
            context
        })
    }

    /// Gives back all that a client holds, and ends what it waits for.
    fn disconnected(&mut self, id: ClientId) {
        let Some(client) = self.clients.remove(&id) else {
            return;
        };
        for (lease, instances) in client.into_leases() {
            for instance in instances {
                self.let_go(instance, (id, lease));
            }
        }
        self.shared.retain(|key, instance| {
            let stays = key.client != Some(id);
            if !stays {
                self.instances.remove(instance);
            }
            stays
        });
        self.leave_hooks(id);
    }

    fn internal(&mut self, message: Internal) {
        match message {
            Internal::Hook(hook) => self.run_hook(hook),
            Internal::Failed { client, lease } => self.release(client, lease),
            Internal::Relaunch {
                client,
                call,
                lease,
                launch,
                until,
            } => self.relaunch(client, call, lease, launch, until),
            Internal::Unkept { instance, why } => self.replace(instance, &why),
            // It is looked at before the next message.
            Internal::Settled => {}
            Internal::StreamEnded { client, stream } => {
                if let Some(client) = self.clients.get_mut(&client) {
                    client.stop_stream(stream);
                }
            }
        }
    }

    /// Drops the lease's hold; its own instances end in the background.
    fn release(&mut self, client: ClientId, lease: LeaseId) {
        let Some(holder) = self.clients.get_mut(&client) else {
            return;
        };
        for instance in holder.take_lease(lease) {
            self.let_go(instance, (client, lease));
        }
    }

    /// Has an instance do something, and answers with what comes of it.
    fn act(
        &mut self,
        id: ClientId,
        call: CallId,
        instance: InstanceId,
        action: Action,
        caller: Caller,
    ) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let Some(handle) = self.instances.get(&instance) else {
            return client.answer(call, Err(gone()));
        };
        let (answer, answered) = oneshot::channel();
        let command = |order| drop(handle.commands.send(Command { order, answer }));
        let outcome = async { answered.await.unwrap_or_else(|_| Err(gone())) };
        if let Action::CopyOut { from } = action {
            let (messages, internal) = (client.messages.clone(), self.run.internal.clone());
            return client.stream(call, |to| {
                command(Order::CopyOut { from, to });
                async move {
                    messages::answer(&messages, call, outcome.await);
                    let _ = internal.send(Internal::StreamEnded {
                        client: id,
                        stream: call,
                    });
                }
            });
        }
        command(match (action, caller) {
            (Action::CopyIn { to }, caller) => Order::CopyIn {
                to,
                tar: client.receive(call),
                caller,
            },
            (action, Caller::Handle) => Order::Act(action),
            (action, Caller::Hook(kind)) => Order::ActInHook(kind, action),
        });
        client.answer_with(call, outcome);
    }

    fn follow(&mut self, id: ClientId, call: CallId, instance: InstanceId, until: FollowEnd) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let (Some(handle), Ok(context)) = (self.instances.get(&instance), &client.context) else {
            return client.answer(call, Err(gone()));
        };
        let Some(container) = handle.container.get().cloned() else {
            return client.answer(call, Err(gone()));
        };
        let (context, messages) = (context.clone(), client.messages.clone());
        let starts = handle.starts.clone();
        client.stream(call, |to| async move {
            let outcome = async {
                let engine = context.engine().await?;
                let followed = lines::follow(&engine, &container, until, starts, &to).await;
                followed.map_err(|error| engine_error(ErrorKind::Operation, &error))
            };
            let outcome = outcome.await;
            answer(&messages, call, outcome.map(|()| Reply::Done));
            let _ = context.run.internal.send(Internal::StreamEnded {
                client: id,
                stream: call,
            });
        });
    }
}
