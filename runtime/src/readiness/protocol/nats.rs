//! NATS: the server introduces itself. The client asks for a `PONG`, unless the server requires a login first.

use serde::Deserialize;

use super::conversation::{Conversation, Step, text};

const PING: &[u8] =
    b"CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"seatrial\",\"lang\":\"rust\",\
                      \"version\":\"1\"}\r\nPING\r\n";

/// Errors of a server that serves other clients.
const REFUSALS: [&str; 3] = ["authorization", "authentication", "maximum"];

#[derive(Default)]
pub(super) struct Nats {
    is_asked: bool,
}

/// The relevant part of the server's introduction.
#[derive(Deserialize)]
struct Info {
    /// A client would continue with TLS.
    #[serde(default)]
    tls_required: bool,
    /// The server logs clients without a login.
    #[serde(default)]
    auth_required: bool,
}

impl Conversation for Nats {
    fn hear(&mut self, said: &[u8]) -> Step {
        let mut is_first = true;
        for line in said.split_inclusive(|byte| *byte == b'\n') {
            let Some(line) = line.strip_suffix(b"\n") else {
                break;
            };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            match line {
                [b'-', b'E', b'R', b'R', words @ ..] => return refusal(&text(words)),
                line if is_first => {
                    let Some(info) = line.strip_prefix(b"INFO ") else {
                        return Step::Foreign;
                    };
                    let Ok(info) = serde_json::from_slice::<Info>(info) else {
                        return Step::Foreign;
                    };
                    if info.tls_required || info.auth_required {
                        return Step::answers();
                    }
                    if !self.is_asked {
                        self.is_asked = true;
                        return Step::Say(PING.to_vec());
                    }
                }
                b"PONG" => return Step::answers(),
                b"PING" | b"+OK" => {}
                line if line.starts_with(b"INFO ") => {}
                _ => return Step::Foreign,
            }
            is_first = false;
        }
        // A partial line may already be foreign.
        let begins = |word: &[u8]| said.iter().zip(word).all(|(a, b)| a == b);
        match begins(b"INFO ") || begins(b"-ERR") {
            true => Step::More,
            false => Step::Foreign,
        }
    }
}

fn refusal(words: &str) -> Step {
    let words = words.trim_matches(|c: char| c == '\'' || c.is_whitespace());
    let lower = words.to_ascii_lowercase();
    match REFUSALS.iter().any(|refusal| lower.contains(refusal)) {
        true => Step::answers(),
        false => Step::not_yet(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &[u8] = b"INFO {\"server_id\":\"N\",\"version\":\"2.9.10\",\"headers\":true} \r\n";

    fn heard(said: &[u8]) -> Step {
        Nats::default().hear(said)
    }

    /// The step after an answer to the introduction.
    fn asked(answer: &[u8]) -> Step {
        let mut nats = Nats::default();
        assert_eq!(nats.hear(INFO), Step::Say(PING.to_vec()));
        assert_eq!(nats.hear(INFO), Step::More);
        nats.hear(&[INFO, answer].concat())
    }

    #[test]
    fn a_server_that_pongs_answers() {
        assert_eq!(asked(b"PONG\r\n"), Step::answers());
        let more = b"+OK\r\nPING\r\nINFO {\"ldm\":false}\r\nPONG\r\n";
        assert_eq!(asked(more), Step::answers());
    }

    #[test]
    fn a_server_that_requires_a_login_answers() {
        assert_eq!(heard(b"INFO {\"auth_required\":true}\r\n"), Step::answers());
        assert_eq!(heard(b"INFO {\"tls_required\":true}\r\n"), Step::answers());
        assert_eq!(
            asked(b"-ERR 'Authorization Violation'\r\n"),
            Step::answers()
        );
        let full = b"-ERR 'maximum connections exceeded'\r\n";
        assert_eq!(heard(full), Step::answers());
    }

    #[test]
    fn a_server_that_shuts_down_says_so() {
        let stops = asked(b"-ERR 'Server Shutdown'\r\n");
        assert_eq!(stops, Step::not_yet("Server Shutdown"));
    }

    #[test]
    fn a_partial_answer_is_waited_for_and_a_foreign_one_is_not() {
        for end in 0..INFO.len() {
            assert_eq!(heard(&INFO[..end]), Step::More, "{end}");
        }
        assert_eq!(asked(b"PON"), Step::More);
        for foreign in [
            &b"HTTP/1.1 400"[..],
            b"INFO no JSON\r\n",
            b"INFO {\r\n",
            b"PONG\r\n",
            b"+PONG\r\n",
        ] {
            assert_eq!(heard(foreign), Step::Foreign, "{foreign:?}");
        }
        assert_eq!(asked(b"+PONG\r\n"), Step::Foreign);
    }
}
