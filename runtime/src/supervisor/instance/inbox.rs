//! The waiting commands of an instance.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::orders::Command;
use crate::protocol::{Caller, HookKind};

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

    /// The next signal among the commands that were deferred, for a container that `ended_by` ends. If a function of the user does, only
    /// the signals of functions count. A signal that comes after a start is for the started container, and waits.
    pub(super) fn next_signal(&mut self, ended_by: Caller) -> Option<Command> {
        let counts = |command: &Command| match ended_by {
            Caller::Handle => true,
            Caller::Hook(_) => command.order.hook().is_some(),
        };
        let is_due = |command: &Command| {
            counts(command) && (command.order.signals() || command.order.starts())
        };
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

    /// The next command. A deferred command comes first if it may run while the instance waits for a function of this kind.
    pub(super) async fn next_of(&mut self, kind: HookKind) -> Option<Command> {
        let is_due = |command: &Command| command.order.is_due(kind);
        let position = self.put_off.iter().position(is_due);
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
    const HANDLE: Caller = Caller::Handle;

    fn put_off(actions: impl IntoIterator<Item = Action>) -> Inbox {
        put_off_orders(actions.into_iter().map(Order::Act))
    }

    fn put_off_orders(orders: impl IntoIterator<Item = Order>) -> Inbox {
        let mut inbox = Inbox::new(mpsc::unbounded_channel().1);
        for order in orders {
            let answer = oneshot::channel().0;
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
            let command = inbox.next_signal(HANDLE).expect("one of the signals");
            assert!(command.order.signals());
        }
        assert!(inbox.next_signal(HANDLE).is_none());

        for start in [Action::Start, Action::Restart] {
            let mut inbox = put_off([KILL, start, KILL]);
            assert!(
                inbox.next_signal(HANDLE).is_some(),
                "it came before the start"
            );
            assert!(
                inbox.next_signal(HANDLE).is_none(),
                "it came after the start"
            );
        }
    }

    #[test]
    fn a_container_that_a_function_stops_gets_the_signals_of_functions() {
        let setup = HookKind::Setup;
        let orders = [
            Order::Act(Action::Start),
            Order::Act(KILL),
            Order::ActInHook(setup, KILL),
        ];
        let mut inbox = put_off_orders(orders);
        let signal = inbox.next_signal(Caller::Hook(setup));
        let signal = signal.expect("the function's");
        assert_eq!(signal.order.hook(), Some(setup));
        assert!(inbox.next_signal(Caller::Hook(setup)).is_none());
    }
}
