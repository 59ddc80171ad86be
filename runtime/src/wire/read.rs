//! Reading messages: collects chunks by lane until a message is complete.
//!
//! It must never allocate for lengths that a peer announces, only for bytes that it has sent: memory grows with the bytes received.
//! Serde has a limit of its own: for a sequence of which only the length has come, it reserves at most 1 MiB.

use std::collections::HashMap;
use std::marker::PhantomData;

use bytes::BytesMut;
use futures_util::StreamExt as _;
use rmp_serde::decode::{Deserializer, Error as DecodeError};
use serde::de::{Deserialize as _, DeserializeOwned};
use tokio::io::AsyncRead;
use tokio_util::codec::FramedRead;

use super::error::WireError;
use super::frames::{Chunk, Chunks};
use super::limits::Limits;

/// The deepest nesting of values in a message. Our messages have far less, and it is too little to exhaust a thread's stack.
const DEPTH_MAX: usize = 128;

/// The messages that a peer sends.
pub(crate) struct Messages<R, T> {
    chunks: FramedRead<R, Chunks>,
    /// The chunks of incomplete messages, by lane.
    open: HashMap<u64, Vec<u8>>,
    limits: Limits,
    ended: bool,
    message: PhantomData<fn() -> T>,
}

impl<R: AsyncRead + Unpin, T: DeserializeOwned> Messages<R, T> {
    /// Reads from a stream on which the greetings have been exchanged.
    pub(crate) fn new(stream: R) -> Self {
        Self::within(Limits::default(), stream)
    }

    pub(super) fn within(limits: Limits, stream: R) -> Self {
        Self {
            chunks: FramedRead::new(stream, Chunks::new()),
            open: HashMap::new(),
            limits,
            ended: false,
            message: PhantomData,
        }
    }

    /// The next complete message. `None` at the end of the stream, and after an error.
    ///
    /// Cancel-safe: received bytes stay for the next call.
    ///
    /// # Errors
    ///
    /// The stream fails, ends in the middle of a message, or carries something that is not a message of type `T`.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, WireError> {
        if self.ended {
            return Ok(None);
        }
        let next = self.receive().await;
        self.ended = !matches!(next, Ok(Some(_)));
        next
    }

    async fn receive(&mut self) -> Result<Option<T>, WireError> {
        while let Some(chunk) = self.chunks.next().await {
            if let Some(message) = self.accept(chunk?)? {
                return Ok(Some(message));
            }
        }
        if self.open.is_empty() {
            Ok(None)
        } else {
            Err(WireError::Malformed(
                "the stream ends in the middle of a message".to_owned(),
            ))
        }
    }

    /// Takes a chunk, and returns the message that it completes.
    fn accept(&mut self, chunk: Chunk<BytesMut>) -> Result<Option<T>, WireError> {
        let Chunk {
            lane,
            last,
            content,
        } = chunk;
        let before = self.open.get(&lane).map_or(0, Vec::len);
        if before as u64 + content.len() as u64 > self.limits.message {
            return Err(WireError::TooLarge(format!(
                "a message of more than {} bytes",
                self.limits.message
            )));
        }
        if last {
            return match self.open.remove(&lane) {
                // Most messages have one chunk, which need not be copied.
                None => decode(&content),
                Some(mut message) => {
                    message.extend_from_slice(&content);
                    decode(&message)
                }
            }
            .map(Some);
        }
        if self.open.len() == self.limits.lanes && !self.open.contains_key(&lane) {
            return Err(WireError::TooLarge(format!(
                "messages in more than {} lanes at once",
                self.limits.lanes
            )));
        }
        self.open
            .entry(lane)
            .or_default()
            .extend_from_slice(&content);
        Ok(None)
    }
}

fn decode<T: DeserializeOwned>(message: &[u8]) -> Result<T, WireError> {
    let mut values = Deserializer::from_read_ref(message);
    values.set_max_depth(DEPTH_MAX);
    let value =
        T::deserialize(&mut values).map_err(|error| WireError::Malformed(error.to_string()))?;
    // The deserializer does not say how many bytes are left. It has no marker of a further value only at the end.
    match <()>::deserialize(&mut values) {
        Err(DecodeError::InvalidMarkerRead(_)) => Ok(value),
        _ => Err(WireError::Malformed(
            "a message has bytes after its value".to_owned(),
        )),
    }
}
