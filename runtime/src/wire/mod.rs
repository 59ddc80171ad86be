//! Messages over a byte stream, between a test process and the supervisor of its run.
//!
//! A connection begins with one greeting in each direction ([`handshake`]). Then each direction is a sequence of frames
//! ([`frames`]), each with a chunk of a message. Chunks of messages in different lanes alternate ([`write`]) and are put
//! together again ([`read`]), so a large message delays no small one of another lane.
//!
//! It works on any stream and with any message that serde can encode. It must never know sockets or processes, or what
//! a message means. What a peer sends can make it fail, but not panic, and not use memory that the peer has not
//! filled.

mod frames;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod handshake;
mod read;
mod write;

#[cfg(test)]
mod tests;

use std::{fmt, io};

pub(crate) use handshake::{GreetError, greet, welcome};
pub(crate) use read::Messages;
pub(crate) use write::{EncodeError, write_messages};

/// Upper bound of one encoded message, in bytes. Whatever is in a message is smaller, so that every length in it fits
/// MessagePack's 32 bits.
pub(crate) const MESSAGE_MAX: u64 = 4 << 30;

/// Upper bound of the messages that are under way at once in one direction, each in a lane of its own.
pub(crate) const LANES_MAX: usize = 1024;

/// What is sent in lanes: messages of one lane arrive in order, those of different lanes do not wait for each other.
pub(crate) trait InLane {
    /// The lane's number.
    fn lane(&self) -> u64;
}

/// The bounds that both directions obey: [`MESSAGE_MAX`] and [`LANES_MAX`], and smaller ones in tests.
#[derive(Clone, Copy, Debug)]
struct Limits {
    message: u64,
    lanes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: MESSAGE_MAX,
            lanes: LANES_MAX,
        }
    }
}

/// Why a connection is of no further use.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum WireError {
    /// The stream cannot be read or written.
    Io(io::Error),
    /// The peer exceeds a bound.
    TooLarge(String),
    /// The peer sends what is not a message.
    Malformed(String),
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the connection is broken: {error}"),
            Self::TooLarge(what) => write!(f, "received more than is allowed: {what}"),
            Self::Malformed(what) => write!(f, "received a malformed message: {what}"),
        }
    }
}

impl std::error::Error for WireError {}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
