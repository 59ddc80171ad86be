//! The commands that have come for an instance and are not served yet.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::orders::Command;
use crate::protocol::HookKind;

/// What is asked of an instance, in the order of its coming, but for what only looks.
pub(super) struct Inbox {
    commands: mpsc::UnboundedReceiver<Command>,
    put_off: VecDeque<Command>,
}

impl Inbox {
    pub(super) fn new(commands: mpsc::UnboundedReceiver<Command>) -> Self {
        Self {
            commands,
            put_off: VecDeque::new(),
        }
    }

    /// The next command; `None` when there will be no more.
    pub(super) async fn next(&mut self) -> Option<Command> {
        match self.put_off.pop_front() {
            Some(command) => Some(command),
            None => self.commands.recv().await,
        }
    }

    /// Puts a command off until its turn.
    pub(super) fn put_off(&mut self, command: Command) {
        self.put_off.push_back(command);
    }

    /// The next command: first of those that were put off one that a function of this kind asked for, while the service was
    /// waited for on behalf of another.
    pub(super) async fn next_of(&mut self, kind: HookKind) -> Option<Command> {
        let of_kind = |command: &Command| command.order.hook() == Some(kind);
        let position = self.put_off.iter().position(of_kind);
        match position {
            Some(position) => self.put_off.remove(position),
            None => self.commands.recv().await,
        }
    }
}
