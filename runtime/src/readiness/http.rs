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
    pub(super) fn words(&self, subject: &Subject<'_>) -> String {
        let Self { port, status, .. } = self;
        let path = subject.quoted(self.path);
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
                subject.quoted(self.path)
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What the check makes of a server that gives this answer to a request, and the request.
    async fn answered(answer: &'static str) -> (Result<u16, String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(request).unwrap()
        };
        let path = Path {
            port: 80,
            path: "/health?deep=1",
            status: None,
        };
        let (status, request) = tokio::join!(path.get(stream), server);
        (status.map(|status| status.as_u16()), request)
    }

    #[tokio::test]
    async fn the_status_is_read_and_nothing_else() {
        let status = async |answer| answered(answer).await.0;
        let with_body = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nmore is not waited for";
        assert_eq!(status(with_body).await, Ok(200));
        assert_eq!(status("HTTP/1.0 503 no\r\n\r\n").await, Ok(503));
        assert_eq!(status("HTTP/1.1 204\r\n\r\n").await, Ok(204));
        let redirect = "HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\n\r\n";
        assert_eq!(status(redirect).await, Ok(302));
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n";
        assert_eq!(status(interim).await, Ok(404));
    }

    #[tokio::test]
    async fn what_is_no_answer_is_told_apart() {
        let reason = async |answer| answered(answer).await.0.unwrap_err();
        let closed = "the connection was closed without an answer";
        assert_eq!(reason("").await, closed);
        assert_eq!(reason("HTTP/1.1 20").await, closed);
        assert!(reason("220 mail ready\r\n").await.contains("HTTP/1"));
    }

    #[tokio::test]
    async fn the_request_is_plain() {
        let (_, request) = answered("HTTP/1.1 200 OK\r\n\r\n").await;
        let mut lines: Vec<&str> = request.trim_end().split("\r\n").collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            [
                "GET /health?deep=1 HTTP/1.1",
                "connection: close",
                "host: localhost"
            ]
        );
    }

    #[test]
    fn any_status_from_200_to_399_is_expected_unless_one_is_given() {
        let expects = |status, code| {
            let path = Path {
                port: 80,
                path: "/",
                status,
            };
            path.expects(StatusCode::from_u16(code).unwrap())
        };
        assert!([200, 204, 302, 399].iter().all(|&code| expects(None, code)));
        assert!(![199, 400, 503].iter().any(|&code| expects(None, code)));
        assert!(expects(Some(503), 503));
        assert!(!expects(Some(204), 200));
    }
}
