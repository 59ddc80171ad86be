//! Bodies of the fuzz targets in `fuzz/`: properties that hold for any input of a peer, a container or a user. Each body panics if its
//! property does not hold, and is defined beside the code that it tests.

pub(crate) mod memory;
pub(crate) mod pieces;

pub use crate::config::fuzzing::config;
pub use crate::wire::fuzzing::{frames, handshake, messages};

/// Answers of a server that is asked whether it is ready.
pub fn conversations(data: &[u8]) {
    crate::readiness::conversations(data);
}

/// Output of a container, in pieces that end anywhere.
pub fn lines(data: &[u8]) {
    crate::supervisor::fuzzing::lines(data);
    crate::readiness::fuzzing::lines_with_text(data);
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn configurations_hold_for_their_seeds() {
        replay("config", super::config);
    }

    #[test]
    fn conversations_hold_for_their_seeds() {
        replay("conversations", super::conversations);
    }

    #[test]
    fn frames_hold_for_their_seeds() {
        replay("frames", super::frames);
    }

    #[test]
    fn greetings_hold_for_their_seeds() {
        replay("handshake", super::handshake);
    }

    #[test]
    fn lines_hold_for_their_seeds() {
        replay("lines", super::lines);
    }

    #[test]
    fn messages_hold_for_their_seeds() {
        replay("messages", super::messages);
    }
}
