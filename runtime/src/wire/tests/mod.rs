//! Messages through streams in memory, which are full after a few bytes where that matters.

mod frames;
mod garbage;
mod handshake;
mod order;
mod plan;
mod protocol;
mod seeds;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use tokio::sync::mpsc;

use super::frames::CHUNK_MAX;
use super::limits::{LANES_MAX, Limits};
use super::write::write_within;
use super::*;

/// A message for tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    lane: u64,
    text: String,
    content: ByteBuf,
}

impl Note {
    fn new(lane: u64, text: &str) -> Self {
        Self::with(lane, text, 0)
    }

    /// A message with so many bytes of content, no two chunks of which are equal.
    fn with(lane: u64, text: &str, bytes: usize) -> Self {
        let content = (0..bytes).map(|at| (at * 31 + at / 251) as u8);
        Self {
            lane,
            text: text.to_owned(),
            content: ByteBuf::from(content.collect::<Vec<_>>()),
        }
    }
}

impl InLane for Note {
    fn lane(&self) -> u64 {
        self.lane
    }
}

/// For writers of messages that can all be sent.
fn none_refused<T>(_: T, error: &EncodeError) -> Option<T> {
    panic!("refused: {error}")
}

/// A closed channel with these messages in it.
fn channel<T>(messages: impl IntoIterator<Item = T>) -> mpsc::UnboundedReceiver<T> {
    let (sender, receiver) = mpsc::unbounded_channel();
    for message in messages {
        assert!(sender.send(message).is_ok());
    }
    receiver
}

/// What is written for these messages.
async fn written<T: InLane + Serialize>(messages: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_messages(&mut bytes, channel(messages), none_refused)
        .await
        .expect("memory can be written");
    bytes
}

/// All messages of a stream, and how it ends.
async fn all<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> (Vec<T>, Result<(), WireError>) {
    let mut messages = Messages::new(bytes);
    let mut received = Vec::new();
    let end = loop {
        match messages.next().await {
            Ok(Some(message)) => received.push(message),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert!(matches!(messages.next().await, Ok(None)), "it goes on");
    (received, end)
}

/// Numbers that look random and are the same at every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[tokio::test]
async fn messages_pass_through_streams_of_every_size() {
    for size in [1, 7, 64, 5000, 1 << 20] {
        let large = if size == 1 { 1000 } else { 3 * CHUNK_MAX };
        let mut sent: VecDeque<_> = [
            Note::new(1, ""),
            Note::with(1, "in one lane", large),
            Note::new(1, "after it"),
            Note::with(1, "full", CHUNK_MAX),
        ]
        .into();
        let (client, server) = tokio::io::duplex(size);
        let writing = write_messages(client, channel(sent.clone()), none_refused);
        let reading = async {
            let mut messages = Messages::new(server);
            while let Some(message) = messages.next().await.expect("a message") {
                assert_eq!(Some(message), sent.pop_front(), "size {size}");
            }
            assert_eq!(sent.len(), 0, "size {size}");
        };
        let (writing, ()) = tokio::join!(writing, reading);
        writing.expect("all is written");
    }
}

#[tokio::test]
async fn what_is_written_is_flushed_while_the_channel_is_open() {
    let (client, server) = tokio::io::duplex(1 << 20);
    let (sender, receiver) = mpsc::unbounded_channel();
    let buffered = tokio::io::BufWriter::with_capacity(1 << 20, client);
    let writing = write_messages(buffered, receiver, none_refused);
    let reading = async {
        let mut messages = Messages::new(server);
        for text in ["one", "two"] {
            sender.send(Note::new(1, text)).expect("it listens");
            let received = messages.next().await.expect("a message");
            assert_eq!(received, Some(Note::new(1, text)));
        }
        drop(sender);
    };
    let (writing, ()) = tokio::join!(writing, reading);
    writing.expect("all is written");
}

#[tokio::test]
async fn a_reader_that_is_cancelled_loses_nothing() {
    let mut sent: VecDeque<_> = (0..20)
        .map(|number| Note::with(number % 3, "note", 1000))
        .collect();
    let (client, server) = tokio::io::duplex(5);
    let writing = write_messages(client, channel(sent.clone()), none_refused);
    let reading = async {
        let mut messages = Messages::new(server);
        let mut cancelled = 0;
        loop {
            tokio::select! {
                biased;
                message = messages.next() => match message.expect("a message") {
                    Some(message) => assert_eq!(Some(message), sent.pop_front()),
                    None => break,
                },
                () = tokio::task::yield_now() => cancelled += 1,
            }
        }
        assert!(cancelled > 100, "only {cancelled} times");
    };
    let (writing, ()) = tokio::join!(writing, reading);
    writing.expect("all is written");
    assert_eq!(sent.len(), 0);
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_is_replaced_and_harms_no_other() {
    let limits = Limits {
        message: 1000,
        ..Limits::default()
    };
    let sent = [
        Note::new(1, "before"),
        Note::with(1, "too large", 1000),
        Note::with(1, "too large as well", 1001),
        Note::new(1, "after"),
        Note::with(2, "too large and last", 2000),
    ];
    let mut refused = Vec::new();
    let mut bytes = Vec::new();
    let refuse = |note: Note, error: &EncodeError| {
        assert!(matches!(error, EncodeError::TooLarge(1000)), "{error:?}");
        refused.push(note.text);
        (note.content.len() == 1000).then(|| Note::new(note.lane, &error.to_string()))
    };
    write_within(limits, &mut bytes, channel(sent), refuse)
        .await
        .expect("memory can be written");
    let (received, end) = all::<Note>(&bytes).await;
    end.expect("the stream is whole");
    let texts: Vec<_> = received.iter().map(|note| note.text.as_str()).collect();
    let instead = "the message is larger than 1000 bytes";
    assert_eq!(texts, ["before", instead, "after"]);
    let expected = ["too large and last", "too large", "too large as well"];
    assert_eq!(refused, expected);
}

#[cfg(unix)]
#[tokio::test]
async fn a_path_that_is_not_utf_8_is_refused_with_the_reason() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::PathBuf;

    #[derive(Serialize)]
    struct Place(PathBuf);

    impl InLane for Place {
        fn lane(&self) -> u64 {
            1
        }
    }

    let mut reasons = Vec::new();
    let place = Place(OsStr::from_bytes(b"/tmp/\xff").into());
    write_messages(tokio::io::sink(), channel([place]), |_, error| {
        reasons.push(error.to_string());
        None
    })
    .await
    .expect("nothing is written");
    let reason = "the message cannot be encoded: path contains invalid UTF-8 characters";
    assert_eq!(reasons, [reason]);
}

#[tokio::test]
async fn a_writer_ends_with_an_error_when_its_peer_is_gone() {
    let (client, server) = tokio::io::duplex(64);
    drop(server);
    let note = Note::with(1, "note", 1000);
    let error = write_messages(client, channel([note]), none_refused)
        .await
        .expect_err("nobody reads");
    assert!(matches!(error, WireError::Io(_)), "{error:?}");
}
