//! Delivers each message of the supervisor to its receiver.

use super::calls::Client;
use super::hooks;
use super::pending::{JobNews, Pending};
use crate::protocol::{HookFailure, Message};

impl Client {
    /// Delivers the supervisor's next message.
    pub(super) fn receive(&'static self, message: Message) {
        match message {
            Message::Answer { call, outcome } => {
                if let Some(who) = self.take_pending(call) {
                    who.end(outcome);
                }
            }
            Message::Line { call, line } => match self.pending().get(&call) {
                Some(Pending::Lines(lines)) => _ = lines.send(Ok(line)),
                Some(Pending::Job(news)) => _ = news.send(JobNews::Line(line)),
                _ => {}
            },
            Message::Piece { call, bytes } => {
                if let Some(Pending::Pieces(pieces)) = self.pending().get(&call) {
                    let _ = pieces.send(Ok(bytes));
                }
            }
            Message::HaveRead { call, units } => {
                if let Some(Pending::Sending { allowance, .. }) = self.pending().get(&call) {
                    allowance.give_back(units);
                }
            }
            Message::Show(shown) => {
                self.screen().show(shown);
            }
            Message::Hook {
                hook,
                kind,
                identity,
                binding,
                service,
            } => match hooks::find(&identity, binding) {
                Some(function) => hooks::run(self, hook, kind, function, *service),
                None => {
                    let why = "this process does not have the function".to_owned();
                    self.hook_ended(hook, Err(HookFailure::Failed(why)));
                }
            },
        }
    }
}
