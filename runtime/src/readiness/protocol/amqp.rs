//! AMQP 0-9-1, the protocol of RabbitMQ. The client sends the protocol's header. A broker answers with the start of
//! a connection, or with the header of another version.
//!
//! A broker logs a client that leaves then as a warning, and anything else without a login as an error.

use super::conversation::{Conversation, Step, text};

const HEADER: [u8; 8] = *b"AMQP\0\0\x09\x01";

/// The frame of a method on the channel of the connection itself.
const METHOD: [u8; 3] = [1, 0, 0];

/// Methods of the class "connection".
const START: [u8; 4] = [0, 10, 0, 10];
const CLOSE: [u8; 4] = [0, 10, 0, 50];

pub(super) struct Amqp;

impl Conversation for Amqp {
    fn opening(&self) -> Vec<u8> {
        HEADER.to_vec()
    }

    fn hear(&mut self, said: &[u8]) -> Step {
        let other_version = &HEADER[..4];
        let is_like = |expected: &[u8]| said.iter().zip(expected).all(|(a, b)| a == b);
        if is_like(other_version) && said.len() >= other_version.len() {
            return Step::answers();
        }
        if is_like(other_version) {
            return Step::More;
        }
        if !is_like(&METHOD) {
            return Step::Foreign;
        }
        // The method follows the size.
        let Some(method) = said.get(7..11) else {
            return Step::More;
        };
        if method == START {
            return Step::answers();
        }
        if method != CLOSE {
            return Step::Foreign;
        }
        // The length of the text and the text follow the code.
        let words = said.get(13..).and_then(<[u8]>::split_first);
        match words.and_then(|(length, words)| words.get(..usize::from(*length))) {
            Some(words) => Step::not_yet(text(words)),
            None => Step::More,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(said: &[u8]) -> Step {
        Amqp.hear(said)
    }

    #[test]
    fn a_broker_that_begins_or_speaks_another_version_answers() {
        assert_eq!(Amqp.opening(), b"AMQP\0\0\x09\x01");
        let start = b"\x01\0\0\0\0\x01\xfa\0\x0a\0\x0a\0\x09\0\0\x01\xd5\x0ccapabilities";
        assert_eq!(heard(start), Step::answers());
        assert_eq!(heard(b"AMQP\0\x01\0\0"), Step::answers());
    }

    #[test]
    fn a_broker_that_closes_says_why() {
        let close = b"\x01\0\0\0\0\0\x13\0\x0a\0\x32\x01\x40\x08shutdown\0\0\0\0\xce";
        assert_eq!(heard(close), Step::not_yet("shutdown"));
        assert_eq!(heard(&close[..16]), Step::More);
    }

    #[test]
    fn a_partial_answer_is_waited_for_and_a_foreign_one_is_not() {
        let start = b"\x01\0\0\0\0\x01\xfa\0\x0a\0\x0a";
        for end in 0..start.len() {
            assert_eq!(heard(&start[..end]), Step::More, "{end}");
        }
        assert_eq!(heard(b"AMQ"), Step::More);
        for foreign in [
            &b"HTTP/1.1"[..],
            b"AMEN",
            b"\x08\0\0\0\0\0\0\xce",
            b"\x01\0\0\0\0\0\x04\0\x0a\0\x1e",
        ] {
            assert_eq!(heard(foreign), Step::Foreign, "{foreign:?}");
        }
    }
}
