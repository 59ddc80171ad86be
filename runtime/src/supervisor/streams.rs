//! What a call streams, a message at a time, as far as the other end has read what came before.

use tokio::sync::mpsc;

use crate::flow::{Allowance, Unread};
use crate::protocol::{CallId, LogLine, Message};

/// What a client is sent before its call is answered.
pub(super) struct Outgoing {
    messages: mpsc::UnboundedSender<Message>,
    call: CallId,
    allowance: Allowance,
}

impl Outgoing {
    pub(super) fn new(
        messages: mpsc::UnboundedSender<Message>,
        call: CallId,
        allowance: Allowance,
    ) -> Self {
        Self {
            messages,
            call,
            allowance,
        }
    }

    /// Sends a line of a log once it may be sent.
    ///
    /// # Errors
    ///
    /// Nobody reads any more.
    pub(super) async fn line(&self, line: LogLine) -> Result<(), Unread> {
        self.allowance.take(line.text.len()).await?;
        let call = self.call;
        self.send(Message::Line { call, line })
    }

    fn send(&self, message: Message) -> Result<(), Unread> {
        self.messages.send(message).map_err(|_| Unread)
    }
}
