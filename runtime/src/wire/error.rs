//! The error of a connection that was established and cannot be used any more.

use std::{fmt, io};

/// Why a connection cannot be used any more.
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
