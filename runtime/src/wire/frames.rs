//! Frames: a length, a header, and a chunk of a message.
//!
//! ```text
//! length: u32 BE | lane: u64 LE | flags: u8 | content: at most 64 KiB
//! ```
//!
//! The length does not count itself. The only flag is [`LAST`]. This module must never wait for a frame that is too large, or
//! assemble chunks.

use bytes::{Buf as _, BufMut as _, BytesMut};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

use super::error::WireError;

/// The largest size of a chunk, in bytes.
pub(super) const CHUNK_MAX: usize = 64 * 1024;

/// Lane and flags.
const HEADER: usize = size_of::<u64>() + size_of::<u8>();

/// Flag of the last chunk of a message.
const LAST: u8 = 1;

/// A part of a message.
#[derive(Debug)]
pub(super) struct Chunk<B> {
    pub(super) lane: u64,
    /// Whether it is the last chunk of the message.
    pub(super) last: bool,
    pub(super) content: B,
}

/// Writes and reads chunks, each in a frame.
#[derive(Debug)]
pub(super) struct Chunks {
    frames: LengthDelimitedCodec,
    /// Whether the length of a frame has been read, and the frame has not.
    in_frame: bool,
}

impl Chunks {
    pub(super) fn new() -> Self {
        Self {
            frames: LengthDelimitedCodec::builder()
                .max_frame_length(HEADER + CHUNK_MAX)
                .new_codec(),
            in_frame: false,
        }
    }
}

impl Encoder<Chunk<&[u8]>> for Chunks {
    type Error = WireError;

    fn encode(&mut self, chunk: Chunk<&[u8]>, to: &mut BytesMut) -> Result<(), WireError> {
        let mut frame = BytesMut::with_capacity(HEADER + chunk.content.len());
        frame.put_u64_le(chunk.lane);
        frame.put_u8(if chunk.last { LAST } else { 0 });
        frame.put_slice(chunk.content);
        Ok(self.frames.encode(frame.freeze(), to)?)
    }
}

impl Decoder for Chunks {
    type Item = Chunk<BytesMut>;
    type Error = WireError;

    fn decode(&mut self, from: &mut BytesMut) -> Result<Option<Chunk<BytesMut>>, WireError> {
        let before = from.len();
        // Reading from memory fails only if the length is too large.
        let frame = self.frames.decode(from).map_err(|_| {
            let max = HEADER + CHUNK_MAX;
            WireError::TooLarge(format!("a frame of more than {max} bytes"))
        })?;
        let Some(mut frame) = frame else {
            // The codec consumes a length as soon as it is complete.
            self.in_frame |= from.len() < before;
            return Ok(None);
        };
        self.in_frame = false;
        if frame.len() < HEADER {
            return Err(WireError::Malformed(format!(
                "a frame of {} bytes has no room for its header",
                frame.len()
            )));
        }
        let lane = frame.get_u64_le();
        let last = match frame.get_u8() {
            0 => false,
            LAST => true,
            flags => {
                return Err(WireError::Malformed(format!(
                    "a frame has the unknown flags {flags:#04x}"
                )));
            }
        };
        Ok(Some(Chunk {
            lane,
            last,
            content: frame,
        }))
    }

    fn decode_eof(&mut self, from: &mut BytesMut) -> Result<Option<Chunk<BytesMut>>, WireError> {
        match self.decode(from)? {
            Some(chunk) => Ok(Some(chunk)),
            None if from.is_empty() && !self.in_frame => Ok(None),
            None => Err(WireError::Malformed(
                "the stream ends in the middle of a frame".to_owned(),
            )),
        }
    }
}
