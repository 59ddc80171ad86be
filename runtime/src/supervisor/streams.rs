//! The streams of a call, a message at a time. A sender waits until the other end has read enough of what was sent.

use futures_util::stream;
use tokio::sync::mpsc;

use crate::engine::{EngineError, EngineErrorKind, Parts};
use crate::flow::{Allowance, PIECE, Reading, Unread};
use crate::protocol::{CallId, LogLine, Message};

/// The stream to a client before its call is answered.
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
    /// Returns an error if nobody reads any more.
    pub(super) async fn line(&self, line: LogLine) -> Result<(), Unread> {
        self.allowance.take(line.text.len()).await?;
        let call = self.call;
        self.send(Message::Line { call, line })
    }

    /// Sends bytes of a file once they may be sent.
    ///
    /// # Errors
    ///
    /// Returns an error if nobody reads any more.
    pub(super) async fn bytes(&self, mut bytes: Vec<u8>) -> Result<(), Unread> {
        let call = self.call;
        while bytes.len() > PIECE {
            let rest = bytes.split_off(PIECE);
            self.allowance.take(bytes.len()).await?;
            self.send(Message::Piece { call, bytes })?;
            bytes = rest;
        }
        self.allowance.take(bytes.len()).await?;
        self.send(Message::Piece { call, bytes })
    }

    fn send(&self, message: Message) -> Result<(), Unread> {
        self.messages.send(message).map_err(|_| Unread)
    }
}

/// The destination of the pieces of an archive that a client sends.
pub(super) struct Incoming(mpsc::UnboundedSender<Sent>);

enum Sent {
    Piece(Vec<u8>),
    End(Result<(), String>),
}

impl Incoming {
    /// The archive that a client sends for a call. If the client is gone before it has sent everything, the archive
    /// ends with an error.
    pub(super) fn new(
        messages: mpsc::UnboundedSender<Message>,
        call: CallId,
    ) -> (Self, Parts<Vec<u8>>) {
        let (pieces, received) = mpsc::unbounded_channel();
        let receiving = Receiving {
            received,
            messages,
            call,
            reading: Reading::default(),
        };
        let archive = stream::unfold(Some(receiving), |receiving| async {
            match receiving?.next().await {
                (Ok(Some(piece)), receiving) => Some((Ok(piece), Some(receiving))),
                (Ok(None), _) => None,
                (Err(error), _) => Some((Err(error), None)),
            }
        });
        (Self(pieces), Box::pin(archive))
    }

    pub(super) fn piece(&self, bytes: Vec<u8>) {
        // If nobody takes the pieces any more, the answer is on its way.
        let _ = self.0.send(Sent::Piece(bytes));
    }

    pub(super) fn end(self, outcome: Result<(), String>) {
        let _ = self.0.send(Sent::End(outcome));
    }
}

struct Receiving {
    received: mpsc::UnboundedReceiver<Sent>,
    messages: mpsc::UnboundedSender<Message>,
    call: CallId,
    reading: Reading,
}

impl Receiving {
    async fn next(mut self) -> (Result<Option<Vec<u8>>, EngineError>, Self) {
        let why = match self.received.recv().await {
            Some(Sent::Piece(bytes)) => {
                if let Some(units) = self.reading.read(bytes.len()) {
                    let call = self.call;
                    let _ = self.messages.send(Message::HaveRead { call, units });
                }
                return (Ok(Some(bytes)), self);
            }
            Some(Sent::End(Ok(()))) => return (Ok(None), self),
            Some(Sent::End(Err(why))) => why,
            None => "the test process that sends them has ended".to_owned(),
        };
        let error = EngineError {
            kind: EngineErrorKind::Failed,
            attempt: "copy files into the container".to_owned(),
            message: why,
        };
        (Err(error), self)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn an_archive_ends_only_where_its_client_says_so() {
        for (end, expected) in [
            (Some(Ok(())), None),
            (Some(Err("no such file".to_owned())), Some("no such file")),
            (None, Some("has ended")),
        ] {
            let (messages, mut sent) = mpsc::unbounded_channel();
            let (incoming, mut archive) = Incoming::new(messages, 7);
            let pieces = 100;
            for _ in 0..pieces {
                incoming.piece(vec![1; PIECE]);
            }
            match end {
                Some(outcome) => incoming.end(outcome),
                None => drop(incoming),
            }
            for _ in 0..pieces {
                let piece = archive.next().await.expect("a piece");
                assert_eq!(piece.expect("it was sent").len(), PIECE);
            }
            let error = archive.next().await.map(|end| end.expect_err("the end"));
            match (error, expected) {
                (None, None) => {}
                (Some(error), Some(part)) => {
                    assert!(error.to_string().contains(part), "{error}");
                    assert!(archive.next().await.is_none());
                }
                (error, expected) => panic!("{error:?}, not {expected:?}"),
            }
            drop(archive);
            let mut units = 0;
            while let Some(message) = sent.recv().await {
                match message {
                    Message::HaveRead {
                        call: 7,
                        units: more,
                    } => units += more,
                    other => panic!("not {other:?}"),
                }
            }
            let all = pieces * 60;
            assert!(units <= all && units > all - crate::flow::WINDOW, "{units}");
        }
    }
}
