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

    /// The next command that was not looked at before; `None` when there will be no more.
    pub(super) async fn next_new(&mut self) -> Option<Command> {
        self.commands.recv().await
    }

    /// The next signal among the commands that were deferred. A signal that comes after a start is for the started container, and waits.
    pub(super) fn next_signal(&mut self) -> Option<Command> {
        let is_due = |command: &Command| command.order.signals() || command.order.starts();
        let position = self.put_off.iter().position(is_due)?;
        match self.put_off[position].order.signals() {
            true => self.put_off.remove(position),
            false => None,
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

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::orders::Order;
    use super::*;
    use crate::protocol::Action;

    const KILL: Action = Action::Kill { signal: None };

    fn put_off(actions: impl IntoIterator<Item = Action>) -> Inbox {
        let mut inbox = Inbox::new(mpsc::unbounded_channel().1);
        for action in actions {
            let (order, answer) = (Order::Act(action), oneshot::channel().0);
            inbox.put_off(Command { order, answer });
        }
        inbox
    }

    #[test]
    fn a_signal_overtakes_all_but_a_start() {
        let signal = Some("SIGHUP".to_owned());
        let signals = [Action::Kill { signal }, KILL];
        let mut inbox = put_off(
            [Action::Pause, Action::WaitReady]
                .into_iter()
                .chain(signals),
        );
        for _ in 0..2 {
            let command = inbox.next_signal().expect("one of the signals");
            assert!(command.order.signals());
        }
        assert!(inbox.next_signal().is_none());

        for start in [Action::Start, Action::Restart] {
            let mut inbox = put_off([KILL, start, KILL]);
            assert!(inbox.next_signal().is_some(), "it came before the start");
            assert!(inbox.next_signal().is_none(), "it came after the start");
        }
    }
}
