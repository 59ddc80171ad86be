//! Whether what serves a port answers in its own protocol that it takes requests.
//!
//! A database accepts connections while it still recovers, and refuses each in words of its own; a port that is served
//! says nothing of that. So it is asked in a few bytes, as a client would begin, and left as a client leaves it: what an
//! attempt writes into the server's log is as little as its protocol allows.
//!
//! What is said is one small file for each protocol, over bytes alone. This file has the connection, and its limits.

mod amqp;
mod foreign;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod login;
mod mysql;
mod nats;
mod postgres;
mod redis;
#[cfg(test)]
mod tests;

use std::time::Duration;

use seatrial_model::Protocol;
use seatrial_model::secret::Redactor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) use self::login::Login;
use super::outcome::Outcome;
use super::reach::{self, Target};
use super::subject::Subject;
use super::tcp;
use crate::visible::quoted;

/// How long an answer may take before the next attempt is made. A server may look up the name of its client first.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a server has to take its leave. That it answered is known by then.
const LEAVE_PATIENCE: Duration = Duration::from_millis(500);

/// How much of an answer is read. Those that are expected are shorter.
const LIMIT: usize = 64 * 1024;

/// How much of an answer is quoted.
const QUOTED: usize = 200;

/// The check of one port.
#[derive(Debug)]
pub(crate) struct Server {
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    pub(super) login: Login,
}

/// A conversation with a server, as far as it has come.
trait Conversation: Send {
    /// What the client says first: nothing where the server begins.
    fn opening(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Goes on, given all that the server has said so far.
    fn hear(&mut self, said: &[u8]) -> Step;
}

/// What comes next in a conversation.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// The server has not said enough.
    More,
    /// To be said to it; then it goes on.
    Say(Vec<u8>),
    /// What it said decides. This is to be said to it before the connection is closed.
    Done(Verdict, Vec<u8>),
    /// What it said does not belong to the protocol.
    Foreign,
}

/// What a server's answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It takes requests, if perhaps not ours.
    Answers,
    /// It does not yet.
    NotYet {
        /// In its own words.
        said: String,
        /// What to do about it.
        advice: Option<&'static str>,
    },
}

impl Step {
    fn answers() -> Self {
        Self::Done(Verdict::Answers, Vec::new())
    }

    fn not_yet(said: impl Into<String>) -> Self {
        let said = said.into();
        let advice = None;
        Self::Done(Verdict::NotYet { said, advice }, Vec::new())
    }
}

/// Why there is no verdict.
#[derive(Debug, PartialEq, Eq)]
enum NoVerdict {
    /// The connection was closed before there was one.
    Closed,
    /// It broke, in words.
    Broken(String),
    /// What was said instead.
    Foreign(Vec<u8>),
}

impl Server {
    /// Whether it may be asked whenever somebody takes a service that others share. One that counts each connection
    /// without a login as a failed one, or logs it as a warning, may not.
    pub(super) fn may_be_asked_again(&self) -> bool {
        match self.protocol {
            Protocol::Postgres | Protocol::Redis | Protocol::Nats => true,
            Protocol::Mysql | Protocol::Amqp => false,
        }
    }

    pub(super) fn words(&self) -> String {
        format!("{} on port {}", self.protocol.as_str(), self.port)
    }

    pub(super) async fn attempt(&self, subject: &Subject<'_>) -> Outcome {
        let target = match Target::of(subject, self.port) {
            Ok(target) => target,
            Err(reason) => return Outcome::Never(reason),
        };
        let stream = match target.connect().await {
            Ok(stream) => stream,
            Err(reason) if reason == reach::REFUSED => return tcp::refused(),
            Err(reason) => return Outcome::NotYet(reason),
        };
        let mut conversation = conversation(self.protocol, &self.login);
        match timeout(PATIENCE, converse(stream, &mut *conversation)).await {
            Ok(Ok(Verdict::Answers)) => Outcome::Holds,
            Ok(Ok(Verdict::NotYet { said, advice })) => {
                let said = format!("it says \"{}\"", self.quoted(subject, &said));
                Outcome::NotYet(match advice {
                    Some(advice) => format!("{said}; {advice}"),
                    None => said,
                })
            }
            Ok(Err(NoVerdict::Closed)) => match target {
                // For a service that does not listen yet, the engine's proxy does so.
                Target::Published(..) => tcp::closed_by_proxy("the connection was closed at once"),
                Target::Direct(_) => Outcome::NotYet(format!(
                    "the connection was closed without an answer; {}",
                    foreign::MAY_SPEAK_TLS
                )),
            },
            Ok(Err(NoVerdict::Broken(reason))) => match target {
                Target::Published(..) => tcp::closed_by_proxy(&reason),
                Target::Direct(_) => Outcome::NotYet(reason),
            },
            Ok(Err(NoVerdict::Foreign(said))) => Outcome::NotYet(format!(
                "it answers, but not as {} does: \"{}\"; {}",
                self.protocol.title(),
                self.quoted(subject, &text(&said)),
                foreign::guess(&said)
            )),
            Err(_) => Outcome::NotYet(format!(
                "no answer within {PATIENCE:?}; what listens there may speak another protocol: {}",
                foreign::OTHER_CHECK
            )),
        }
    }

    /// What the server said, without secrets: it may be none of those that keep a password to themselves.
    fn quoted(&self, subject: &Subject<'_>, said: &str) -> String {
        let mut redactor: Redactor = subject.redactor.clone();
        if let Some(password) = &self.login.password {
            redactor.add("PASSWORD", password);
        }
        quoted(&redactor, said)
    }
}

fn conversation(protocol: Protocol, login: &Login) -> Box<dyn Conversation + '_> {
    match protocol {
        Protocol::Postgres => Box::new(postgres::Postgres(login)),
        Protocol::Mysql => Box::new(mysql::Mysql::default()),
        Protocol::Redis => Box::new(redis::Redis(login)),
        Protocol::Amqp => Box::new(amqp::Amqp),
        Protocol::Nats => Box::new(nats::Nats::default()),
    }
}

/// Talks until the server's answer decides.
async fn converse(
    mut stream: TcpStream,
    conversation: &mut dyn Conversation,
) -> Result<Verdict, NoVerdict> {
    // A server that has refused us and is gone takes nothing any more; what it said before is still to be read.
    let _ = stream.write_all(&conversation.opening()).await;
    let mut said = Vec::new();
    loop {
        match conversation.hear(&said) {
            Step::Say(bytes) => {
                let _ = stream.write_all(&bytes).await;
            }
            Step::Done(verdict, last) => {
                let _ = timeout(LEAVE_PATIENCE, leave(stream, &last)).await;
                return Ok(verdict);
            }
            Step::Foreign => return Err(NoVerdict::Foreign(said)),
            Step::More if said.len() >= LIMIT => return Err(NoVerdict::Foreign(said)),
            Step::More => match stream.read_buf(&mut said).await {
                Ok(0) if said.is_empty() => return Err(NoVerdict::Closed),
                Ok(0) => return Err(NoVerdict::Foreign(said)),
                Ok(_) => {}
                Err(error) => return Err(NoVerdict::Broken(reach::words(&error))),
            },
        }
    }
}

/// Ends the connection as the server expects it. What is left unread would make a reset of its end, which some log.
async fn leave(mut stream: TcpStream, last: &[u8]) {
    let _ = stream.write_all(last).await;
    let _ = stream.shutdown().await;
    let mut rest = [0; 1024];
    let mut left = LIMIT;
    while let Ok(read @ 1..) = stream.read(&mut rest).await {
        left = left.saturating_sub(read);
        if left == 0 {
            break;
        }
    }
}

/// The beginning of what was said, as text.
fn text(said: &[u8]) -> String {
    // No character is longer.
    let said = &said[..said.len().min(QUOTED * 4)];
    let text = String::from_utf8_lossy(said);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// The beginning of `bytes` up to a zero, and what is behind that.
fn terminated(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}
