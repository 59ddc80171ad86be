//! The limits of both directions: which messages keep their order, how large a message may be, and how many are under way at once.

/// The largest size of an encoded message, in bytes. Every value in a message is smaller, so every length fits MessagePack's
/// 32 bits.
pub(crate) const MESSAGE_MAX: u64 = 4 << 30;

/// The largest number of messages that are under way at once in one direction, each in a lane of its own.
pub(crate) const LANES_MAX: usize = 1024;

/// A message with a lane. Messages of one lane arrive in order. Messages of different lanes do not wait for each other.
pub(crate) trait InLane {
    /// The lane's number.
    fn lane(&self) -> u64;
}

/// The bounds that both directions obey: [`MESSAGE_MAX`] and [`LANES_MAX`], and smaller ones in tests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) message: u64,
    pub(super) lanes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: MESSAGE_MAX,
            lanes: LANES_MAX,
        }
    }
}
