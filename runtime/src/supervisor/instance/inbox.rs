//! The waiting commands of an instance.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::orders::Command;
use crate::protocol::HookKind;

/// The orders to an instance in the order of their arrival, except queries.
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

    /// The next command, or `None` if no more will come.
    pub(super) async fn next(&mut self) -> Option<Command> {
        match self.put_off.pop_front() {
            Some(command) => Some(command),
            None => self.commands.recv().await,
        }
    }

    /// Defers a command until its turn.
    pub(super) fn put_off(&mut self, command: Command) {
        self.put_off.push_back(command);
    }

    /// The next command. A deferred command comes first if a function of this kind asked for it while the service was
    /// awaited on behalf of another.
    pub(super) async fn next_of(&mut self, kind: HookKind) -> Option<Command> {
        let of_kind = |command: &Command| command.order.hook() == Some(kind);
        let position = self.put_off.iter().position(of_kind);
        match position {
            Some(position) => self.put_off.remove(position),
            None => self.commands.recv().await,
        }
    }
}
