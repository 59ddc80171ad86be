//! Checks that a path answers over HTTP with an expected status.
//!
//! A check sends one `GET` over one connection and does not follow redirects: a service that answers `302` is up, and
//! the target of the redirect is another service.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::io::InspectReader;

use super::outcome::{Outcome, Remark};
use super::reach::{self, Target};
use super::subject::Subject;

/// How long an answer may take before the next attempt is made.
const DEADLINE: Duration = Duration::from_secs(5);

/// How much of a body is read after an unexpected status, and for how long.
const BEGINNING: usize = 4096;
const BODY_DEADLINE: Duration = Duration::from_millis(200);

/// The number of bytes that identify a TLS record.
const TLS_RECORD: usize = 3;

/// The check of one path.
#[derive(Debug)]
pub(crate) struct Path {
    pub(super) port: u16,
    pub(super) path: String,
    /// `None` expects any status from 200 to 399.
    pub(super) status: Option<u16>,
}

impl Path {
    pub(super) fn describe(&self, subject: &Subject<'_>) -> String {
        let Self { port, status, .. } = self;
        let path = subject.quoted(&self.path);
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
                "invalid path `{}`: {error}; write a path that begins with `/`, with special characters as `%20`",
                subject.quoted(&self.path)
            ));
        }
        let answer = async { self.get(target.connect().await?).await };
        match timeout(DEADLINE, answer).await {
            Ok(Ok(Answer { status, .. })) if self.expects(status) => Outcome::HoldsAndRuns,
            Ok(Ok(answer)) => Outcome::NotYet(answer.describe()),
            Ok(Err(remark)) if remark.said == reach::REFUSED => Outcome::Unserved(remark),
            Ok(Err(remark)) => Outcome::NotYet(remark),
            Err(_) => Outcome::NotYet(format!("no answer within {DEADLINE:?}").into()),
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
    /// Returns the reason if there is no answer.
    async fn get(&self, stream: TcpStream) -> Result<Answer, Remark> {
        let begin = Arc::new(Mutex::new(Vec::new()));
        let seen = begin.clone();
        let stream = InspectReader::new(stream, move |bytes: &[u8]| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let missing = TLS_RECORD.saturating_sub(seen.len());
            seen.extend(bytes.iter().take(missing));
        });
        let request = Request::get(&self.path)
            .header(HOST, "localhost")
            .header(CONNECTION, "close")
            .body(String::new())
            .map_err(|error| Remark::from(error.to_string()))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| describe(&error, &[]))?;
        // The connection advances only while it is polled. The answer reports how the connection ended.
        let connection = async {
            let _ = connection.await;
            pending().await
        };
        let answer = async {
            match sender.send_request(request).await {
                Ok(answer) if self.expects(answer.status()) => Ok(Answer {
                    status: answer.status(),
                    text: String::new(),
                }),
                Ok(answer) => Ok(Answer {
                    status: answer.status(),
                    text: beginning(answer.into_body()).await,
                }),
                Err(error) => {
                    let begin = begin.lock().unwrap_or_else(PoisonError::into_inner);
                    Err(describe(&error, &begin))
                }
            }
        };
        tokio::select! {
            biased;
            answer = answer => answer,
            () = connection => Err("the connection was closed".to_owned().into()),
        }
    }
}

/// An answer of the server.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    /// The beginning of the body after an unexpected status.
    text: String,
}

impl Answer {
    fn describe(&self) -> Remark {
        let status = self.status.as_u16();
        let answer = format!("last answer {status}");
        match (self.guess(), status) {
            (Some(guess), _) => guess.about(&answer),
            // Too early, or too often: a later attempt may succeed.
            (None, 408 | 425 | 429) => answer.into(),
            (None, 400..500) => Remark::with_advice(
                answer,
                format!("correct the path, or write `status = {status}`"),
            ),
            (None, _) => answer.into(),
        }
    }

    /// The likely reason of a rejection. Servers word it in many ways.
    fn guess(&self) -> Option<Guess> {
        let text = self.text.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match self.status.as_u16() {
            400 | 426 if says(&["https", "tls", "ssl"]) => Some(SPEAKS_TLS),
            400 | 421 => Some(OTHER_HOST),
            403 | 404 if says(&["host"]) => Some(OTHER_HOST),
            _ => None,
        }
    }
}

/// A likely cause, and what to do about it.
#[derive(Clone, Copy)]
struct Guess {
    cause: &'static str,
    advice: &'static str,
}

impl Guess {
    fn about(self, seen: &str) -> Remark {
        Remark::with_advice(format!("{seen}; {}", self.cause), self.advice)
    }
}

const MAY_SPEAK_TLS: Guess = Guess {
    cause: "the port may require TLS or speak another protocol",
    advice: "check another port, or write `ready(tcp)`",
};
const SPEAKS_TLS: Guess = Guess {
    cause: "the port seems to speak TLS, which this check does not support",
    advice: "check a port without TLS, or write `ready(tcp)` or a command, such as \
             `ready(exec = \"curl -fk https://localhost/\")`",
};
const OTHER_HOST: Guess = Guess {
    cause: "the service may reject the host name `localhost` of this check",
    advice: "allow this name, or write a command, such as \
             `ready(exec = \"curl -f -H 'Host: shop' http://localhost/\")`",
};

/// The beginning of a body, as far as it comes in time.
async fn beginning(mut body: Incoming) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while bytes.len() < BEGINNING {
            let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            let Some(Ok(frame)) = frame else { break };
            if let Ok(data) = frame.into_data() {
                bytes.extend(data);
            }
        }
    };
    let _ = timeout(BODY_DEADLINE, read).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A message for an error of the exchange. `begin` has the first bytes of the answer.
fn describe(error: &hyper::Error, begin: &[u8]) -> Remark {
    // A TLS server answers an HTTP request with an alert (RFC 8446), or closes the connection.
    if let [0x15, 0x03, ..] = begin {
        SPEAKS_TLS.about("the answer is not HTTP")
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        MAY_SPEAK_TLS.about("the connection was closed without an answer")
    } else if error.is_parse() {
        Remark::with_advice(
            "the server does not speak HTTP/1",
            "check the port, or write `ready(tcp)`",
        )
    } else {
        error.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// The result of the check for a server with this answer, and the request.
    async fn answered(answer: impl AsRef<[u8]>) -> (Result<Answer, Remark>, String) {
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
            stream.write_all(answer.as_ref()).await.unwrap();
            String::from_utf8(request).unwrap()
        };
        let path = Path {
            port: 80,
            path: "/health?deep=1".to_owned(),
            status: None,
        };
        tokio::join!(path.get(stream), server)
    }

    #[tokio::test]
    async fn the_status_is_read_and_nothing_else() {
        let status = async |answer: &str| answered(answer).await.0.map(|it| it.status.as_u16());
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
    async fn other_answers_are_distinguished() {
        let reason = async |answer: &str| answered(answer).await.0.unwrap_err().said;
        let closed = "the connection was closed without an answer";
        assert!(reason("").await.starts_with(closed));
        assert!(reason("HTTP/1.1 20").await.starts_with(closed));
        assert!(reason("220 mail ready\r\n").await.contains("HTTP/1"));
    }

    #[tokio::test]
    async fn a_port_that_speaks_tls_is_guessed_from_what_comes_back() {
        // The alerts of OpenSSL ("http request"), of rustls and of an old server.
        for alert in [
            &b"\x15\x03\x01\0\x02\x02\x50"[..],
            b"\x15\x03\x03\0\x02\x02\x46",
            b"\x15\x03\0\0\x02\x02\x0a",
        ] {
            let reason = answered(alert).await.0.unwrap_err().to_string();
            assert!(
                reason.contains("speak TLS") && reason.contains("ready(tcp)"),
                "{reason}"
            );
        }
        assert!(
            answered("")
                .await
                .0
                .unwrap_err()
                .said
                .contains("may require TLS")
        );
        // nginx, Apache, Go.
        for text in [
            "<center>The plain HTTP request was sent to HTTPS port</center>",
            "You're speaking plain HTTP to an SSL-enabled server port.",
            "Client sent an HTTP request to an HTTPS server.\n",
        ] {
            let answer = format!("HTTP/1.0 400 Bad Request\r\n\r\n{text}");
            let words = answered(answer).await.0.unwrap().describe().to_string();
            assert!(
                words.starts_with("last answer 400; the port seems to speak TLS"),
                "{words}"
            );
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_know_the_host_name_is_guessed() {
        for answer in [
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 421 Misdirected Request\r\n\r\n",
            "HTTP/1.1 403 Forbidden\r\n\r\nBlocked hosts: localhost",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 13\r\n\r\nunknown host\n",
        ] {
            let words = answered(answer).await.0.unwrap().describe().to_string();
            assert!(words.contains("host name `localhost`"), "{words}");
        }
        let not_found = "HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nno\n";
        assert_eq!(
            answered(not_found).await.0.unwrap().describe(),
            Remark::with_advice(
                "last answer 404",
                "correct the path, or write `status = 404`"
            )
        );
        for answer in [
            "HTTP/1.1 429 no\r\n\r\n",
            "HTTP/1.1 503 no\r\n\r\n",
            // A part of the body that does not come is not waited for.
            "HTTP/1.1 503 no\r\ncontent-length: 9\r\n\r\nhost",
        ] {
            let words = answered(answer).await.0.unwrap().describe().to_string();
            assert!(!words.contains(';'), "{words}");
        }
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
                path: "/".to_owned(),
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
