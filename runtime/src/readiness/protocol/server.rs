//! The check of one port: the connection, and its limits.

use std::time::Duration;

use seatrial_model::Protocol;
use seatrial_model::secret::Redactor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::conversation::{Conversation, LIMIT, Step, Verdict, text};
use super::dialect::conversation;
use super::foreign;
use super::login::Login;
use crate::readiness::outcome::Outcome;
use crate::readiness::reach::{self, Target};
use crate::readiness::subject::Subject;
use crate::readiness::tcp;
use crate::visible::quoted;

/// How long an answer may take before the next attempt is made. A server may look up the name of its client first.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long a server has to take its leave. That it answered is known by then.
const LEAVE_DEADLINE: Duration = Duration::from_millis(500);

/// The check of one port.
#[derive(Debug)]
pub(crate) struct Server {
    pub(in crate::readiness) protocol: Protocol,
    pub(in crate::readiness) port: u16,
    pub(in crate::readiness) login: Login,
}

/// Why there is no verdict.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoVerdict {
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
    pub(in crate::readiness) fn may_be_asked_again(&self) -> bool {
        match self.protocol {
            Protocol::Postgres | Protocol::Redis | Protocol::Nats => true,
            Protocol::Mysql | Protocol::Amqp => false,
        }
    }

    pub(in crate::readiness) fn describe(&self) -> String {
        format!("{} on port {}", self.protocol.as_str(), self.port)
    }

    pub(in crate::readiness) async fn attempt(&self, subject: &Subject<'_>) -> Outcome {
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
        match timeout(DEADLINE, converse(stream, &mut *conversation)).await {
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
                "no answer within {DEADLINE:?}; what listens there may speak another protocol: {}",
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

/// Talks until the server's answer decides.
pub(super) async fn converse(
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
                let _ = timeout(LEAVE_DEADLINE, leave(stream, &last)).await;
                return Ok(verdict);
            }
            Step::Foreign => return Err(NoVerdict::Foreign(said)),
            Step::More if said.len() >= LIMIT => return Err(NoVerdict::Foreign(said)),
            Step::More => match stream.read_buf(&mut said).await {
                Ok(0) if said.is_empty() => return Err(NoVerdict::Closed),
                Ok(0) => return Err(NoVerdict::Foreign(said)),
                Ok(_) => {}
                Err(error) => return Err(NoVerdict::Broken(reach::describe(&error))),
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
