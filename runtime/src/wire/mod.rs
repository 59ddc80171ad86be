//! Messages over a byte stream, between a test process and the supervisor of its run.
//!
//! A connection begins with one greeting in each direction ([`handshake`]). Then each direction is a sequence of frames
//! ([`frames`]), each with a chunk of a message. Chunks of messages in different lanes alternate ([`write`]) and are assembled
//! again ([`read`]). So a large message does not delay a small one in another lane.
//!
//! It works on any stream and with any message that serde can encode. It must never know sockets or processes, or the meaning of
//! a message. The bytes of a peer can make it fail, but must never make it panic, or use more memory than the peer has filled.

mod error;
mod frames;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod handshake;
mod limits;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use self::error::WireError;
pub(crate) use self::handshake::{GreetError, greet, welcome};
pub(crate) use self::limits::InLane;
pub(crate) use self::read::Messages;
pub(crate) use self::write::{EncodeError, write_messages};
