//! Writing messages: a message is encoded when its turn comes, and its lane writes one chunk per turn.
//!
//! It must never encode a message while an earlier one of its lane is being written, or have more messages under way
//! than the reader accepts.

use std::collections::{HashMap, VecDeque};
use std::{fmt, io};

use futures_util::SinkExt as _;
use serde::Serialize;
use tokio::io::AsyncWrite;
use tokio::sync::mpsc;
use tokio_util::codec::FramedWrite;

use super::error::WireError;
use super::frames::{CHUNK_MAX, Chunk, Chunks};
use super::limits::{InLane, Limits};

/// Why a message cannot be sent. The error concerns this message alone, and none of its bytes have been written.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum EncodeError {
    /// The message exceeds this size, in bytes.
    TooLarge(u64),
    /// A value in the message has no encoded form, such as a path that is not UTF-8.
    Invalid(rmp_serde::encode::Error),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(max) => write!(f, "the message is larger than {max} bytes"),
            Self::Invalid(error) => write!(f, "the message cannot be encoded: {error}"),
        }
    }
}

impl std::error::Error for EncodeError {}

/// Writes messages until the channel is closed and drained. The greetings must have been exchanged on the stream, and the stream is
/// not shut down.
///
/// `refused` is called with each message that cannot be sent, and returns a message to send instead, if any: a call whose answer
/// is lost would wait for ever. The replacement is sent in the lane of the original. If it cannot be sent either, `refused` is
/// called with it.
///
/// # Errors
///
/// The stream fails. Then messages that have not been written are lost, as they are if the future is dropped.
pub(crate) async fn write_messages<T: InLane + Serialize>(
    stream: impl AsyncWrite + Unpin,
    messages: mpsc::UnboundedReceiver<T>,
    refused: impl FnMut(T, &EncodeError) -> Option<T>,
) -> Result<(), WireError> {
    write_within(Limits::default(), stream, messages, refused).await
}

pub(super) async fn write_within<T: InLane + Serialize>(
    limits: Limits,
    stream: impl AsyncWrite + Unpin,
    mut messages: mpsc::UnboundedReceiver<T>,
    mut refused: impl FnMut(T, &EncodeError) -> Option<T>,
) -> Result<(), WireError> {
    let mut chunks = FramedWrite::new(stream, Chunks::new());
    let mut lanes = Lanes::new(limits);
    loop {
        if lanes.turns.is_empty() {
            chunks.flush().await?;
            match messages.recv().await {
                Some(message) => lanes.add(message),
                None => return Ok(()),
            }
        }
        // A later message does not wait for the messages that are being written.
        while let Ok(message) = messages.try_recv() {
            lanes.add(message);
        }
        lanes.write_chunk(&mut chunks, &mut refused).await?;
    }
}

/// All messages that have not been written completely.
struct Lanes<T> {
    lanes: HashMap<u64, Lane<T>>,
    /// The lanes in the order in which they write, each once.
    turns: VecDeque<u64>,
    /// How many of them have a message that is partly written.
    begun: usize,
    limits: Limits,
}

struct Lane<T> {
    /// The message that is partly written.
    current: Option<Encoded>,
    /// The messages after it.
    waiting: VecDeque<T>,
}

struct Encoded {
    bytes: Vec<u8>,
    written: usize,
}

impl<T: InLane + Serialize> Lanes<T> {
    fn new(limits: Limits) -> Self {
        Self {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            begun: 0,
            limits,
        }
    }

    fn add(&mut self, message: T) {
        let number = message.lane();
        let lane = self.lanes.entry(number).or_insert_with(|| {
            self.turns.push_back(number);
            Lane {
                current: None,
                waiting: VecDeque::new(),
            }
        });
        lane.waiting.push_back(message);
    }

    /// Writes a chunk of the next lane, if any of its messages can be encoded.
    async fn write_chunk(
        &mut self,
        chunks: &mut FramedWrite<impl AsyncWrite + Unpin, Chunks>,
        refused: &mut impl FnMut(T, &EncodeError) -> Option<T>,
    ) -> Result<(), WireError> {
        let Some(number) = self.turns.pop_front() else {
            return Ok(());
        };
        let Some(lane) = self.lanes.get_mut(&number) else {
            return Ok(());
        };
        let begun = lane.current.take();
        if begun.is_some() {
            self.begun -= 1;
        } else if self.begun == self.limits.lanes {
            // The reader accepts no more. One of the messages must end before this lane can begin.
            self.turns.push_back(number);
            return Ok(());
        }
        let next = begun.or_else(|| lane.encode_next(self.limits.message, refused));
        if let Some(mut message) = next {
            let rest = &message.bytes[message.written..];
            let content = &rest[..rest.len().min(CHUNK_MAX)];
            let last = content.len() == rest.len();
            chunks
                .feed(Chunk {
                    lane: number,
                    last,
                    content,
                })
                .await?;
            message.written += content.len();
            if !last {
                lane.current = Some(message);
                self.begun += 1;
            }
        }
        if lane.current.is_none() && lane.waiting.is_empty() {
            self.lanes.remove(&number);
        } else {
            self.turns.push_back(number);
        }
        Ok(())
    }
}

impl<T: InLane + Serialize> Lane<T> {
    /// The first waiting message that can be encoded, if any.
    fn encode_next(
        &mut self,
        max: u64,
        refused: &mut impl FnMut(T, &EncodeError) -> Option<T>,
    ) -> Option<Encoded> {
        let mut message = self.waiting.pop_front()?;
        loop {
            let error = match encode(&message, max) {
                Ok(bytes) => return Some(Encoded { bytes, written: 0 }),
                Err(error) => error,
            };
            message = match refused(message, &error) {
                Some(instead) => instead,
                None => self.waiting.pop_front()?,
            };
        }
    }
}

/// Encodes a message with the names of its fields, because some types skip fields, or choose a variant by name.
fn encode<T: Serialize>(message: &T, max: u64) -> Result<Vec<u8>, EncodeError> {
    let mut to = Bounded {
        bytes: Vec::new(),
        max,
        exceeded: false,
    };
    match rmp_serde::encode::write_named(&mut to, message) {
        Ok(()) => Ok(to.bytes),
        Err(_) if to.exceeded => Err(EncodeError::TooLarge(max)),
        Err(error) => Err(EncodeError::Invalid(error)),
    }
}

/// Bytes up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    max: u64,
    exceeded: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() as u64 + bytes.len() as u64 > self.max {
            self.exceeded = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
