//! MySQL and MariaDB: the server sends a greeting, and the client answers with a login that the server rejects.
//!
//! The client does not leave after the greeting, as a server counts interrupted greetings and blocks a host with too
//! many of them (`max_connect_errors`). The server does not count a rejected login, and its log names the user.

use super::conversation::{Conversation, LIMIT, Step, Verdict, terminated, text};

const USER: &[u8] = b"seatrial";

/// Capabilities of the client: long passwords, the protocol and authentication of version 4.1, and authentication by a
/// named method.
const CAPABILITIES: u32 = 1 | 1 << 9 | 1 << 15;
const PLUGIN_AUTHENTICATION: u32 = 1 << 19;

/// The character set utf8mb4.
const CHARSET: u8 = 45;

const QUIT: [u8; 5] = [1, 0, 0, 0, 1];

/// "Server shutdown in progress".
const SHUTDOWN: u16 = 1053;
/// "Too many connections", and "Host is not allowed to connect": other clients may get in.
const REFUSALS: [u16; 2] = [1040, 1130];
/// "Host is blocked because of many connection errors".
const BLOCKED: u16 = 1129;

#[derive(Default)]
pub(super) struct Mysql {
    /// The length of the greeting that the login answered.
    greeted: Option<usize>,
}

impl Conversation for Mysql {
    fn hear(&mut self, said: &[u8]) -> Step {
        let (number, body) = match packet(&said[self.greeted.unwrap_or(0).min(said.len())..]) {
            Packet::Complete(number, body) => (number, body),
            Packet::Cut => return Step::More,
            Packet::None => return Step::Foreign,
        };
        match (self.greeted, body) {
            (None, [10, greeting @ ..]) if number == 0 => match login(greeting) {
                Some(login) => {
                    self.greeted = Some(4 + body.len());
                    Step::Say(framed(1, &login))
                }
                None => Step::Foreign,
            },
            (None, [255, error @ ..]) => refusal(error, |code| REFUSALS.contains(&code)),
            (Some(_), [255, error @ ..]) => refusal(error, |code| code != SHUTDOWN),
            (Some(_), [0, ..]) => Step::Done(Verdict::Answers, QUIT.to_vec()),
            // The server asks for another method, or for more. An empty password answers all of these.
            (Some(_), [254 | 1, ..]) => {
                Step::Done(Verdict::Answers, framed(number.wrapping_add(1), &[]))
            }
            _ => Step::Foreign,
        }
    }
}

enum Packet<'a> {
    Complete(u8, &'a [u8]),
    Cut,
    None,
}

/// The first packet, with its number and its body.
fn packet(bytes: &[u8]) -> Packet<'_> {
    let Some((&[low, middle, high, number], rest)) = bytes.split_first_chunk() else {
        return Packet::Cut;
    };
    let length = u32::from_le_bytes([low, middle, high, 0]) as usize;
    if length == 0 || length > LIMIT {
        return Packet::None;
    }
    match rest.get(..length) {
        Some(body) => Packet::Complete(number, body),
        None => Packet::Cut,
    }
}

fn framed(number: u8, body: &[u8]) -> Vec<u8> {
    let [low, middle, high, _] = (body.len() as u32).to_le_bytes();
    [&[low, middle, high, number][..], body].concat()
}

/// The answer to a greeting. `greeting` begins behind the protocol's version. `None` if it is malformed.
fn login(greeting: &[u8]) -> Option<Vec<u8>> {
    let (_version, rest) = terminated(greeting)?;
    // The connection's number, eight bytes of the challenge, and a zero.
    let rest = rest.get(13..)?;
    let (&[low, middle], rest) = rest.split_first_chunk()?;
    // Character set and status, then the other half of the capabilities. The greeting of an old server ends before
    // that.
    let (high, top) = match rest.get(3..5) {
        Some(&[high, top]) => (high, top),
        _ => (0, 0),
    };
    let theirs = u32::from_le_bytes([low, middle, high, top]);
    let plugin = match theirs & PLUGIN_AUTHENTICATION {
        0 => None,
        // The challenge's length, ten reserved bytes, and the rest of the challenge: thirteen bytes or more.
        _ => {
            let rest = rest.get(5..)?;
            let challenge = usize::from(*rest.first()?).saturating_sub(8).max(13);
            let name = rest.get(11 + challenge..)?;
            Some(terminated(name).map_or(name, |(name, _)| name))
        }
    };
    let mut ours = CAPABILITIES;
    if plugin.is_some() {
        ours |= PLUGIN_AUTHENTICATION;
    }
    let mut login = ours.to_le_bytes().to_vec();
    login.extend((LIMIT as u32).to_le_bytes());
    login.push(CHARSET);
    login.extend([0; 23]);
    login.extend(USER);
    // The end of the name, and an empty password.
    login.extend([0, 0]);
    if let Some(plugin) = plugin {
        login.extend(plugin);
        login.push(0);
    }
    Some(login)
}

/// The code and the message of an error. Some servers put a state in between: `#` and five characters.
fn refusal(error: &[u8], answers: impl Fn(u16) -> bool) -> Step {
    let Some((code, words)) = error.split_first_chunk() else {
        return Step::Foreign;
    };
    let code = u16::from_le_bytes(*code);
    if answers(code) {
        return Step::answers();
    }
    let words = match words {
        [b'#', rest @ ..] => rest.get(5..).unwrap_or_default(),
        words => words,
    };
    let advice = (code == BLOCKED).then_some(
        "raise `--max-connect-errors` in `command`, or find what connects to it without a login",
    );
    let said = text(words);
    Step::Done(Verdict::NotYet { said, advice }, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The greeting of a MariaDB 10.11 with another challenge.
    fn greeting() -> Vec<u8> {
        let mut body = b"\x0a5.5.5-10.11.14-MariaDB\0\x07\0\0\0abcdefgh\0".to_vec();
        body.extend(b"\xfe\xf7\x2d\x02\0\xff\x81\x15\0\0\0\0\0\0\x1d\0\0\0");
        body.extend(b"abcdefghijkl\0mysql_native_password\0");
        framed(0, &body)
    }

    fn error(number: u8, code: u16, text: &str) -> Vec<u8> {
        framed(
            number,
            &[&[255][..], &code.to_le_bytes(), text.as_bytes()].concat(),
        )
    }

    /// The step after an answer to the login.
    fn answered(answer: &[u8]) -> Step {
        let mut mysql = Mysql::default();
        let mut said = greeting();
        assert!(matches!(mysql.hear(&said), Step::Say(_)));
        assert_eq!(mysql.hear(&said), Step::More);
        said.extend(answer);
        mysql.hear(&said)
    }

    #[test]
    fn a_greeting_is_answered_with_a_login_of_no_password() {
        let Step::Say(login) = Mysql::default().hear(&greeting()) else {
            panic!("it is a greeting");
        };
        assert_eq!(login[..4], [login.len() as u8 - 4, 0, 0, 1]);
        assert_eq!(
            login[4..8],
            (CAPABILITIES | PLUGIN_AUTHENTICATION).to_le_bytes()
        );
        assert_eq!(&login[36..], b"seatrial\0\0mysql_native_password\0");
        // A greeting of a server of version 4.1, which has no named methods.
        let old = b"\x0a4.1.22\0\x07\0\0\0abcdefgh\0\x2c\xa2\x08\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0";
        let Step::Say(login) = Mysql::default().hear(&framed(0, old)) else {
            panic!("it is a greeting");
        };
        assert!(login.ends_with(b"\0seatrial\0\0"));
    }

    #[test]
    fn any_answer_to_the_login_counts_as_an_answer() {
        let denied = error(2, 1045, "#28000Access denied for user 'seatrial'@'host'");
        assert_eq!(answered(&denied), Step::answers());
        let welcome = framed(2, b"\0\0\0\x02\0\0\0");
        let quit = Step::Done(Verdict::Answers, QUIT.to_vec());
        assert_eq!(answered(&welcome), quit);
        let other_method = framed(2, b"\xfecaching_sha2_password\0abc\0");
        let no_password = Step::Done(Verdict::Answers, framed(3, &[]));
        assert_eq!(answered(&other_method), no_password);
        let stops = error(2, 1053, "#08S01Server shutdown in progress");
        assert_eq!(
            answered(&stops),
            Step::not_yet("Server shutdown in progress")
        );
    }

    #[test]
    fn a_server_that_rejects_connections_says_why() {
        let greeted = |code, text| Mysql::default().hear(&error(0, code, text));
        assert_eq!(greeted(1040, "#08004Too many connections"), Step::answers());
        assert_eq!(greeted(1130, "Host 'a' is not allowed"), Step::answers());
        let Step::Done(Verdict::NotYet { said, advice }, _) = greeted(1129, "Host 'a' is blocked")
        else {
            panic!("nobody gets in");
        };
        assert_eq!(said, "Host 'a' is blocked");
        assert!(advice.is_some_and(|advice| advice.contains("--max-connect-errors")));
        assert_eq!(greeted(1053, "stopping"), Step::not_yet("stopping"));
    }

    #[test]
    fn a_partial_answer_is_waited_for_and_a_foreign_one_is_not() {
        let greeting = greeting();
        for end in 0..greeting.len() {
            assert_eq!(Mysql::default().hear(&greeting[..end]), Step::More, "{end}");
        }
        for foreign in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"+PONG\r\n",
            b"\0\0\0\0",
            b"\x01\0\0\0\x0b",
            b"\x02\0\0\0\x0aa",
            b"\x02\0\0\0\xff\0",
            b"\x05\0\0\0\x0aabc\0",
            b"\x01\0\0\x05\x0a",
        ] {
            assert_eq!(Mysql::default().hear(foreign), Step::Foreign, "{foreign:?}");
        }
    }
}
