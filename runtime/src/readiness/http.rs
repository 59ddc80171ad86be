//! Whether a path answers over HTTP with a status that is expected.
//!
//! One `GET`, one connection, no redirects followed: a service that answers `302` is up, and what it points to is
//! somebody else.

use std::future::pending;
use std::time::Duration;

use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::reach::Target;
use super::{Outcome, Subject};

/// How long an answer may take before the next attempt is made.
const PATIENCE: Duration = Duration::from_secs(5);

/// The check of one path.
#[derive(Debug)]
pub(super) struct Path<'a> {
    pub(super) port: u16,
    pub(super) path: &'a str,
    /// `None` for any from 200 to 399.
    pub(super) status: Option<u16>,
}

impl Path<'_> {
    pub(super) fn words(&self) -> String {
        let Self { port, path, status } = self;
        match status {
            Some(status) => format!("http GET {path} on port {port} with status {status}"),
            None => format!("http GET {path} on port {port}"),
        }
    }

    pub(super) async fn attempt(&self, subject: &Subject<'_>) -> Outcome {
        let target = match Target::of(subject, self.port) {
            Ok(target) => target,
            Err(reason) => return Outcome::Never(reason),
        };
        if let Err(error) = self.path.parse::<Uri>() {
            return Outcome::Never(format!(
                "`{}` is no path ({error}); write one that begins with `/`, its special characters as `%20`",
                self.path
            ));
        }
        let answer = async { self.get(target.connect().await?).await };
        match timeout(PATIENCE, answer).await {
            Ok(Ok(status)) if self.expects(status) => Outcome::Holds,
            Ok(Ok(status)) => Outcome::NotYet(format!("last answer {}", status.as_u16())),
            Ok(Err(reason)) => Outcome::NotYet(reason),
            Err(_) => Outcome::NotYet(format!("no answer within {PATIENCE:?}")),
        }
    }

    fn expects(&self, status: StatusCode) -> bool {
        match self.status {
            Some(expected) => status.as_u16() == expected,
            None => (200..400).contains(&status.as_u16()),
        }
    }

    /// # Errors
    ///
    /// In words: why there is no status.
    async fn get(&self, stream: TcpStream) -> Result<StatusCode, String> {
        let request = Request::get(self.path)
            .header(HOST, "localhost")
            .header(CONNECTION, "close")
            .body(String::new())
            .map_err(|error| error.to_string())?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| words(&error))?;
        // The connection moves only while it is polled. How it ends is for the answer to say.
        let connection = async {
            let _ = connection.await;
            pending().await
        };
        tokio::select! {
            biased;
            answer = sender.send_request(request) => match answer {
                Ok(answer) => Ok(answer.status()),
                Err(error) => Err(words(&error)),
            },
            () = connection => Err("the connection was closed".to_owned()),
        }
    }
}

/// An error of the exchange as a person would say it.
fn words(error: &hyper::Error) -> String {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        "the connection was closed without an answer".to_owned()
    } else if error.is_parse() {
        "what answers does not speak HTTP/1; check the port, or write `ready(tcp)`".to_owned()
    } else {
        error.to_string()
    }
}
