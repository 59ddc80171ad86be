//! The inputs of the table, one after another: from clients, and from the supervisor's own tasks.

use std::collections::HashMap;

use super::clients::Client;
use super::state::Supervisor;
use crate::protocol::{Message, Reply, Request, RequestBody};
use crate::supervisor::messages::{Input, Internal, answer};

impl Supervisor {
    /// Serves the clients until none is left and none will come, or until it is asked to end.
    pub(in crate::supervisor) async fn serve(&mut self) {
        loop {
            // Inputs that are here by now may keep the run from ending.
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
    pub(in crate::supervisor) async fn close(&mut self) {
        self.clients.clear();
        self.hooks.clear();
        self.shared.clear();
        self.kept.clear();
        self.attached.clear();
        self.instances.clear();
        self.run.close().await;
    }

    /// Answers the clients that asked for the end, also those that asked during it. Launches are not answered any more,
    /// as their tests are about to end.
    pub(in crate::supervisor) async fn answer_closes(&mut self) {
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
            // The end is checked before the next message.
            Internal::Settled => self.drop_failed_spares(),
            Internal::Launched { family } => self.launched(family),
            Internal::Looked { family, files } => self.looked(family, files),
            Internal::Taken { family, was_fit } => self.tried(family, was_fit),
            Internal::StreamEnded { client, stream } => {
                if let Some(client) = self.clients.get_mut(&client) {
                    client.stop_stream(stream);
                }
            }
        }
    }
}
