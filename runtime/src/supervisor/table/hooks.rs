//! Calls of users' functions, which only test processes have.

use super::state::Supervisor;
use crate::protocol::{CallId, ClientId, HookFailure, HookKind, Message};
use crate::supervisor::messages::{Hook, ProcessEnded};

impl Supervisor {
    /// Asks a client to run a function: the client that launched the service or, if that is gone, another with the same
    /// declaration.
    pub(super) fn run_hook(&mut self, mut hook: Hook) {
        if !self.clients.contains_key(&hook.client) {
            let mut others = self.clients.iter();
            let other = others.find(|(_, client)| client.has_launched(&hook.identity));
            let Some((other, _)) = other else {
                let _ = hook.outcome.send(Err(ProcessEnded));
                return;
            };
            hook.client = *other;
        }
        let number = self.number();
        self.clients[&hook.client].send(Message::Hook {
            hook: number,
            kind: hook.kind,
            identity: hook.identity.clone(),
            binding: hook.binding,
            service: hook.service.clone(),
        });
        self.hooks.insert(number, hook);
    }

    /// Receives the outcome of a client's call.
    pub(super) fn hook_ended(&mut self, hook: CallId, outcome: Result<(), HookFailure>) {
        if let Some(waiting) = self.hooks.remove(&hook) {
            let _ = waiting.outcome.send(Ok(outcome));
        }
    }

    /// Handles the end of a client in the middle of its calls.
    pub(super) fn leave_hooks(&mut self, client: ClientId) {
        let left: Vec<_> = self
            .hooks
            .extract_if(|_, hook| hook.client == client)
            .collect();
        for (_, hook) in left {
            match hook.kind {
                HookKind::Ready => self.run_hook(hook),
                // The progress of the function is unknown.
                HookKind::Setup => drop(hook.outcome.send(Err(ProcessEnded))),
            }
        }
    }
}
