//! PostgreSQL: the client sends a start-up message, and the server answers with a request for a password or with an
//! error. `pg_isready` does the same.

use super::conversation::{Conversation, LIMIT, Step, Verdict, terminated};
use super::login::Login;

/// Version 3.0 of the protocol.
const VERSION: [u8; 4] = [0, 3, 0, 0];

/// Ends a session.
const TERMINATE: [u8; 5] = [b'X', 0, 0, 0, 4];

/// The class of errors of a server that starts or stops (appendix A of its manual: "operator intervention").
const STARTS_OR_STOPS: &[u8] = b"57P";

pub(super) struct Postgres<'a>(pub(super) &'a Login);

impl Conversation for Postgres<'_> {
    fn opening(&self) -> Vec<u8> {
        let user = self.0.user.as_deref().unwrap_or("postgres");
        let database = self.0.database.as_deref().unwrap_or(user);
        let mut message = vec![0; 4];
        message.extend(VERSION);
        for (name, value) in [
            ("user", user),
            ("database", database),
            ("application_name", "seatrial"),
        ] {
            message.extend(name.bytes().chain([0]));
            // A zero would end the message.
            message.extend(value.bytes().filter(|byte| *byte != 0).chain([0]));
        }
        message.push(0);
        let length = message.len() as u32;
        message[..4].copy_from_slice(&length.to_be_bytes());
        message
    }

    fn hear(&mut self, mut said: &[u8]) -> Step {
        loop {
            let Some((&kind, rest)) = said.split_first() else {
                return Step::More;
            };
            // Authentication, an error, a notice, another version of the protocol.
            if !b"RENv".contains(&kind) {
                return Step::Foreign;
            }
            let Some((length, rest)) = rest.split_first_chunk() else {
                return Step::More;
            };
            // The length counts itself.
            let length = u32::from_be_bytes(*length) as usize;
            let Some(length) = length.checked_sub(4).filter(|length| *length <= LIMIT) else {
                return Step::Foreign;
            };
            let Some((body, behind)) = rest.split_at_checked(length) else {
                return Step::More;
            };
            match kind {
                b'R' => return authentication(body),
                b'E' => return refusal(body),
                _ => said = behind,
            }
        }
    }
}

/// The client leaves a server that asks for a password without an answer, which the server does not log. The server
/// would log any answer but a password.
fn authentication(body: &[u8]) -> Step {
    match body {
        [0, 0, 0, 0] => Step::Done(Verdict::Answers, TERMINATE.to_vec()),
        [_, _, _, _, ..] => Step::answers(),
        _ => Step::Foreign,
    }
}

fn refusal(mut fields: &[u8]) -> Step {
    let (mut code, mut message, mut detail) = (None, None, None);
    while let Some((kind @ 1.., rest)) = fields.split_first() {
        let Some((value, behind)) = terminated(rest) else {
            return Step::Foreign;
        };
        match kind {
            b'C' => code = Some(value),
            b'M' => message = Some(value),
            b'D' => detail = Some(value),
            _ => {}
        }
        fields = behind;
    }
    let (Some(code), Some(message)) = (code, message) else {
        return Step::Foreign;
    };
    if !code.starts_with(STARTS_OR_STOPS) {
        return Step::answers();
    }
    let said = [Some(message), detail].into_iter().flatten();
    let said: Vec<_> = said.map(String::from_utf8_lossy).collect();
    Step::not_yet(said.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(said: &[u8]) -> Step {
        Postgres(&Login::default()).hear(said)
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = body.len() as u32 + 4;
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    fn error(code: &str, text: &str) -> Vec<u8> {
        let body = format!("SFATAL\0VFATAL\0C{code}\0M{text}\0Fpostmaster.c\0\0");
        message(b'E', body.as_bytes())
    }

    #[test]
    fn the_start_up_names_the_declared_user() {
        let login = Login {
            user: Some("ann".to_owned()),
            ..Login::default()
        };
        let expected =
            b"\0\0\0\x39\0\x03\0\0user\0ann\0database\0ann\0application_name\0seatrial\0\0";
        assert_eq!(Postgres(&login).opening(), expected);
        let default = Postgres(&Login::default()).opening();
        let length = default.len() as u8;
        assert_eq!(default[3], length);
        assert!(default[8..].starts_with(b"user\0postgres\0database\0postgres\0"));
    }

    #[test]
    fn a_server_that_requires_a_login_answers() {
        let scram = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
        assert_eq!(heard(&scram), Step::answers());
        let welcome = Step::Done(Verdict::Answers, TERMINATE.to_vec());
        assert_eq!(heard(&message(b'R', &[0; 4])), welcome);
        let notice = [message(b'N', b"\0"), scram].concat();
        assert_eq!(heard(&notice), Step::answers());
    }

    #[test]
    fn a_server_that_refuses_us_answers_unless_it_starts_or_stops() {
        for code in ["28P01", "28000", "3D000", "53300", "08P01"] {
            assert_eq!(heard(&error(code, "no")), Step::answers(), "{code}");
        }
        for code in ["57P01", "57P02", "57P03"] {
            let said = "the database system is starting up";
            assert_eq!(heard(&error(code, said)), Step::not_yet(said), "{code}");
        }
        let body = b"C57P03\0Mnot accepting connections\0DHot standby mode is disabled.\0\0";
        let said = "not accepting connections: Hot standby mode is disabled.";
        assert_eq!(heard(&message(b'E', body)), Step::not_yet(said));
    }

    #[test]
    fn a_partial_answer_is_waited_for_and_a_foreign_one_is_not() {
        let starting = error("57P03", "the database system is starting up");
        for end in 0..starting.len() {
            assert_eq!(heard(&starting[..end]), Step::More, "{end}");
        }
        for foreign in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"R\0\0\0\x03",
            b"R\xff\xff\xff\xff",
            b"R\0\0\0\x05\0",
            b"Ecould not fork new process for connection: no memory\n\0",
            b"E\0\0\0\x08abcd",
            b"E\0\0\0\x05\0",
        ] {
            assert_eq!(heard(foreign), Step::Foreign, "{foreign:?}");
        }
    }
}
