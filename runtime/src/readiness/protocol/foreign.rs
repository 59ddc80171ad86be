//! What an answer in another protocol may mean.

use seatrial_model::Protocol;

use super::conversation::Step;
use super::dialect::conversation;
use super::login::Login;

/// What to write instead of a check that asks in the wrong protocol.
pub(super) const OTHER_CHECK: &str =
    "check the port, or write `ready(tcp)`, with which it is enough that it is served";

pub(super) const MAY_SPEAK_TLS: &str = "a port that speaks TLS, or another protocol, may do so: check another, or write \
                                        `ready(tcp)`, with which it is enough that it is served";

/// Whose words these may be, and what to do.
pub(super) fn guess(said: &[u8]) -> String {
    if said.starts_with(b"HTTP/") {
        return "the port seems to speak HTTP: check the port, or write `ready(http = \"/health\")`"
            .to_owned();
    }
    // An alert (RFC 8446).
    if let [0x15, 0x03, ..] = said {
        return "the port seems to speak TLS, which this check does not: write `ready(tcp)`, or a command that asks it, \
                such as `ready(exec = \"..\")`"
            .to_owned();
    }
    match speaks(said) {
        Some(protocol) => format!(
            "the port seems to speak {}: check the port, or write `ready({})`",
            protocol.title(),
            protocol.as_str()
        ),
        None => OTHER_CHECK.to_owned(),
    }
}

/// The protocol in which this is a whole answer.
fn speaks(said: &[u8]) -> Option<Protocol> {
    let login = Login::default();
    let is_an_answer = |protocol: &Protocol| {
        let step = conversation(*protocol, &login).hear(said);
        matches!(step, Step::Say(_) | Step::Done(..))
    };
    Protocol::ALL.into_iter().find(is_an_answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_speaks_is_guessed_and_told_with_what_to_write() {
        for (said, title, write) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], "HTTP", "ready(http"),
            (b"\x15\x03\x01\0\x02\x02\x50", "TLS", "ready(tcp)"),
            (b"-ERR unknown command\r\n", "Redis", "ready(redis)"),
            (b"INFO {\"version\":\"2\"}\r\n", "NATS", "ready(nats)"),
            (b"AMQP\0\0\x09\x01", "AMQP", "ready(amqp)"),
            (b"R\0\0\0\x08\0\0\0\x05", "PostgreSQL", "ready(postgres)"),
            (b"\x05\0\0\0\xff\x10\x04no", "MySQL", "ready(mysql)"),
            (b"220 mail ready\r\n", "check the port", "ready(tcp)"),
        ] {
            let guess = guess(said);
            assert!(guess.contains(title) && guess.contains(write), "{guess}");
        }
    }
}
