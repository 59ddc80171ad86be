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
use crate::readiness::outcome::{Outcome, Remark};
use crate::readiness::reach::{self, Target};
use crate::readiness::subject::Subject;
use crate::readiness::tcp;
use crate::visible::quoted;

/// The deadline of an answer. A server may first look up the name of its client.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long the server may take to end the connection. Its answer is known by then.
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
    /// The connection was closed before a verdict.
    Closed,
    /// The connection broke, with this message.
    Broken(String),
    /// The server sent this instead.
    Foreign(Vec<u8>),
}

impl Server {
    /// Whether the server may be asked each time a test takes a shared service. A server that counts each connection
    /// without a login as a failed login, or logs it as a warning, may not.
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
            Err(reason) => return Outcome::NotYet(reason.into()),
        };
        let mut conversation = conversation(self.protocol, &self.login);
        match timeout(DEADLINE, converse(stream, &mut *conversation)).await {
            Ok(Ok(Verdict::Answers)) => Outcome::HoldsAndRuns,
            Ok(Ok(Verdict::NotYet { said, advice })) => {
                let said = format!("it says \"{}\"", self.quoted(subject, &said));
                Outcome::NotYet(match advice {
                    Some(advice) => Remark::with_advice(said, advice),
                    None => said.into(),
                })
            }
            Ok(Err(NoVerdict::Closed)) => match target {
                // The engine's proxy closes the connection if the service does not listen yet.
                Target::Published(..) => tcp::closed_by_proxy("the connection was closed at once"),
                Target::Direct(_) => Outcome::NotYet(foreign::closed()),
            },
            Ok(Err(NoVerdict::Broken(reason))) => match target {
                Target::Published(..) => tcp::closed_by_proxy(&reason),
                Target::Direct(_) => Outcome::NotYet(reason.into()),
            },
            Ok(Err(NoVerdict::Foreign(said))) => {
                let seen = format!(
                    "unexpected answer for {}: \"{}\"",
                    self.protocol.title(),
                    self.quoted(subject, &text(&said)),
                );
                Outcome::NotYet(foreign::guess(&seen, &said))
            }
            Err(_) => Outcome::NotYet(Remark::with_advice(
                format!("no answer within {DEADLINE:?}; the server may speak another protocol"),
                foreign::OTHER_CHECK,
            )),
        }
    }

    /// The server's message without secrets, as some servers repeat a password.
    fn quoted(&self, subject: &Subject<'_>, said: &str) -> String {
        let mut redactor: Redactor = subject.redactor.clone();
        if let Some(password) = &self.login.password {
            redactor.add("PASSWORD", password);
        }
        quoted(&redactor, said)
    }
}

/// Continues the conversation until the server's answer decides.
pub(super) async fn converse(
    mut stream: TcpStream,
    conversation: &mut dyn Conversation,
) -> Result<Verdict, NoVerdict> {
    // A server that has rejected us and closed the connection takes no bytes. Its answer is still to be read.
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

/// Ends the connection as the server expects it. Unread bytes would reset the connection, which some servers log.
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
