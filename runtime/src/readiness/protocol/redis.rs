//! Redis and its relatives: the client sends `PING`, after the password if the declaration has one.
//!
//! Redis checks the login before it reports that it is still loading. A client without a login gets the same answer in
//! both cases. So if the password is unknown, any answer is enough.

use super::conversation::{Conversation, Step, Verdict, text};
use super::login::Login;

const PROTECTED: &str = "start it with `--protected-mode no`, or give it a password: \
                         `command = \"redis-server --requirepass ..\"`";

/// Errors of a server that serves other clients.
const REFUSALS: [&[u8]; 5] = [
    b"-NOAUTH",
    b"-WRONGPASS",
    b"-NOPERM",
    b"-ERR max number of clients",
    b"-ERR operation not permitted",
];

pub(super) struct Redis<'a>(pub(super) &'a Login);

impl Conversation for Redis<'_> {
    fn opening(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(password) = &self.0.password {
            bytes.extend(b"*2\r\n$4\r\nAUTH\r\n");
            bytes.extend(format!("${}\r\n{password}\r\n", password.len()).into_bytes());
        }
        bytes.extend(b"*1\r\n$4\r\nPING\r\n");
        bytes
    }

    fn hear(&mut self, said: &[u8]) -> Step {
        let mut lines = said.split_inclusive(|byte| *byte == b'\n');
        let mut logs_in = self.0.password.is_some();
        loop {
            let Some(line) = lines.next() else {
                return Step::More;
            };
            if !matches!(line[0], b'+' | b'-') {
                return Step::Foreign;
            }
            let Some(line) = line.strip_suffix(b"\r\n") else {
                return match line.last() {
                    Some(b'\n') => Step::Foreign,
                    _ => Step::More,
                };
            };
            // The server closes the connection behind these errors before it has read anything.
            let is_turned_away = line.starts_with(b"-DENIED") || line.starts_with(REFUSALS[3]);
            if !logs_in || is_turned_away {
                return answer(line);
            }
            // The next answer shows whether the login succeeded.
            logs_in = false;
        }
    }
}

fn answer(line: &[u8]) -> Step {
    match line {
        b"+PONG" => Step::answers(),
        line if REFUSALS.iter().any(|refusal| line.starts_with(refusal)) => Step::answers(),
        [b'-', words @ ..] if words.starts_with(b"DENIED") => {
            // A long text with advice follows.
            let first = words.split(|byte| *byte == b'.').next().unwrap_or(words);
            let (said, advice) = (text(first), Some(PROTECTED));
            Step::Done(Verdict::NotYet { said, advice }, Vec::new())
        }
        [b'-', words @ ..] => Step::not_yet(text(words)),
        _ => Step::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login {
        Login {
            password: Some("salt sea".to_owned()),
            ..Login::default()
        }
    }

    fn heard(said: &[u8]) -> Step {
        Redis(&Login::default()).hear(said)
    }

    #[test]
    fn a_password_goes_first_whatever_is_in_it() {
        assert_eq!(Redis(&Login::default()).opening(), b"*1\r\n$4\r\nPING\r\n");
        let expected = b"*2\r\n$4\r\nAUTH\r\n$8\r\nsalt sea\r\n*1\r\n$4\r\nPING\r\n";
        assert_eq!(Redis(&login()).opening(), expected);
    }

    #[test]
    fn a_server_that_pongs_or_requires_a_login_answers() {
        for line in [
            "+PONG\r\n",
            "-NOAUTH Authentication required.\r\n",
            "-NOPERM User default has no permissions to run the 'ping' command\r\n",
            "-ERR max number of clients reached\r\n",
        ] {
            assert_eq!(heard(line.as_bytes()), Step::answers(), "{line}");
        }
    }

    #[test]
    fn a_server_that_does_something_else_first_says_what() {
        for words in [
            "LOADING Redis is loading the dataset in memory",
            "BUSY Redis is busy running a script.",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        ] {
            let line = format!("-{words}\r\n");
            assert_eq!(heard(line.as_bytes()), Step::not_yet(words));
        }
        let denied = "-DENIED Redis is running in protected mode. In this mode ..\r\n";
        let Step::Done(Verdict::NotYet { said, advice }, _) = heard(denied.as_bytes()) else {
            panic!("it lets nobody in");
        };
        assert_eq!(said, "DENIED Redis is running in protected mode");
        assert!(advice.is_some_and(|advice| advice.contains("--protected-mode no")));
    }

    #[test]
    fn the_answer_to_the_password_does_not_decide() {
        let login = login();
        let heard = |said: &[u8]| Redis(&login).hear(said);
        let loading = Step::not_yet("LOADING");
        assert_eq!(heard(b"+OK\r\n"), Step::More);
        assert_eq!(heard(b"+OK\r\n-LOADING\r\n"), loading);
        assert_eq!(heard(b"+OK\r\n+PONG\r\n"), Step::answers());
        let none_set = b"-ERR AUTH called without any password configured\r\n+PONG\r\n";
        assert_eq!(heard(none_set), Step::answers());
        assert_eq!(heard(b"-WRONGPASS\r\n-NOAUTH\r\n"), Step::answers());
        let denied = heard(b"-DENIED no\r\n");
        assert!(matches!(denied, Step::Done(Verdict::NotYet { .. }, _)));
    }

    #[test]
    fn a_partial_answer_is_waited_for_and_a_foreign_one_is_not() {
        for end in 0..b"-LOADING\r\n".len() {
            assert_eq!(heard(&b"-LOADING\r\n"[..end]), Step::More, "{end}");
        }
        for foreign in [
            &b"HTTP/1.1"[..],
            b"+OK\r\n",
            b"+PONG\n",
            b"\x15\x03\x01",
            b"$4\r\n",
        ] {
            assert_eq!(heard(foreign), Step::Foreign, "{foreign:?}");
        }
    }
}
