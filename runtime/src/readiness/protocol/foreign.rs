//! The meaning of an answer in another protocol.

use seatrial_model::Protocol;

use super::conversation::Step;
use super::dialect::conversation;
use super::login::Login;
use crate::readiness::outcome::Remark;

/// The advice for a check with the wrong protocol.
pub(super) const OTHER_CHECK: &str =
    "check the port, or write `ready(tcp)`, which waits only until the port is served";

/// Why a connection was closed without an answer, and what to write.
pub(super) fn closed() -> Remark {
    Remark::with_advice(
        "the connection was closed without an answer; the port may require TLS or speak another protocol",
        "check another port, or write `ready(tcp)`, which waits only until the port is served",
    )
}

/// The `seen` answer, with its likely protocol and what to write.
pub(super) fn guess(seen: &str, said: &[u8]) -> Remark {
    if said.starts_with(b"HTTP/") {
        return Remark::with_advice(
            format!("{seen}; the port seems to speak HTTP"),
            "check the port, or write `ready(http = \"/health\")`",
        );
    }
    // An alert (RFC 8446).
    if let [0x15, 0x03, ..] = said {
        return Remark::with_advice(
            format!("{seen}; the port seems to speak TLS, which this check does not support"),
            "write `ready(tcp)`, or a command, such as `ready(exec = \"..\")`",
        );
    }
    match speaks(said) {
        Some(protocol) => Remark::with_advice(
            format!("{seen}; the port seems to speak {}", protocol.title()),
            format!("check the port, or write `ready({})`", protocol.as_str()),
        ),
        None => Remark::with_advice(seen, OTHER_CHECK),
    }
}

/// The protocol in which these bytes are a complete answer.
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
    fn a_foreign_protocol_is_guessed_with_what_to_write() {
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
            let guess = guess("unexpected answer", said).to_string();
            assert!(guess.contains(title) && guess.contains(write), "{guess}");
        }
    }
}
