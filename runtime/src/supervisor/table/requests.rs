//! The requests of clients.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::state::Supervisor;
use crate::ErrorKind;
use crate::protocol::{
    Action, CallId, Caller, ClientId, FollowEnd, InstanceId, Reply, Request, RequestBody,
};
use crate::settings::Settings;
use crate::supervisor::context::Context;
use crate::supervisor::diagnosis::engine_error;
use crate::supervisor::instance::{Command, Exec, Order, gone};
use crate::supervisor::lines;
use crate::supervisor::messages::{self, Internal, answer};

impl Supervisor {
    pub(super) fn request(&mut self, id: ClientId, Request { call, body }: Request) {
        let Some(client) = self.clients.get_mut(&id) else {
            // The client has sent `Close`, and even twice if an exit and a signal come together.
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
            RequestBody::Binary { wanted, within } => {
                let path = self.run.binaries.get(*wanted, within);
                client.answer_with(call, async { path.await.map(Reply::Binary) });
            }
            RequestBody::Launch {
                lease,
                launch,
                within,
            } => {
                let until = within.and_then(|within| Instant::now().checked_add(within));
                self.launch(id, call, lease, (*launch).into(), until);
            }
            RequestBody::RunJob(job) => self.run_job(id, call, *job),
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

    /// The context for these settings. Equal settings share one.
    fn context(&mut self, settings: Settings) -> Arc<Context> {
        let known = self.contexts.iter().find(|known| known.is_of(&settings));
        known.cloned().unwrap_or_else(|| {
            let context = Context::new(self.run.clone(), settings);
            self.contexts.push(context.clone());
            context
        })
    }

    /// Releases all that a client holds, and ends what it waits for.
    pub(super) fn disconnected(&mut self, id: ClientId) {
        let Some(client) = self.clients.remove(&id) else {
            return;
        };
        self.drop_spares_of(id);
        for (lease, instances) in client.into_leases() {
            self.families.released(id, lease);
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

    /// Sends an order to an instance, and answers with the outcome.
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
        let Some(handle) = self.instances.get_mut(&instance) else {
            return client.answer(call, Err(gone()));
        };
        if changes(&action, caller) {
            handle.changes += 1;
        }
        let (answer, answered) = oneshot::channel();
        let command = |order| drop(handle.commands.send(Command { order, answer }));
        let outcome = async { answered.await.unwrap_or_else(|_| Err(gone())) };
        if let Action::CopyOut { from, follow } = action {
            let (messages, internal) = (client.messages.clone(), self.run.internal.clone());
            return client.stream(call, |to| {
                command(Order::CopyOut { from, follow, to });
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
            (Action::CopyIn { to, is_file }, caller) => Order::CopyIn {
                to,
                is_file,
                tar: client.receive(call),
                caller,
            },
            (Action::Exec(exec), _) => {
                let input = exec.has_input.then(|| client.receive(call));
                Order::Exec(Exec { call: exec, input })
            }
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

/// Whether an action may change what others see of the service. What its own functions do belongs to its readiness and its setup,
/// except that a connection to it may break.
fn changes(action: &Action, caller: Caller) -> bool {
    match action {
        Action::Logs { .. }
        | Action::Follow { .. }
        | Action::Ended
        | Action::Status
        | Action::WaitReady
        | Action::CopyOut { .. } => false,
        Action::Exec(_) | Action::CopyIn { .. } => caller == Caller::Handle,
        Action::Stop { .. }
        | Action::Start
        | Action::Restart
        | Action::Kill { .. }
        | Action::Pause
        | Action::Unpause
        | Action::Disconnect
        | Action::Reconnect => true,
    }
}
