//! A socket of a test that answers the real client as the test says.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::AsyncReadExt as _;
use tokio::net::{UnixListener, UnixStream};

use super::address::Address;
use super::docker::Docker;

/// A socket file that is removed on drop.
pub(super) struct Socket(pub(super) PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A client of an engine that serves each connection with `serve`. The engine must introduce itself, as
/// [`introduction`] does.
pub(super) async fn open<F>(serve: impl Fn(UnixStream) -> F + Send + 'static) -> (Docker, Socket)
where
    F: Future<Output = ()> + Send + 'static,
{
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("seatrial-scripted-{}-{number}.sock", std::process::id());
    let socket = Socket(std::env::temp_dir().join(name));
    let listener = UnixListener::bind(&socket.0).expect("a socket");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    let docker = Docker::open(&Address::Unix(socket.0.clone())).await;
    (docker.expect("it says what it is"), socket)
}

/// The head of the next request. The body of a request is read as if it were the next head.
pub(super) async fn head(stream: &mut UnixStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// The answer to a request for the engine's properties. This engine's endpoints are deleted one at a time.
pub(super) fn introduction(request: &str) -> Option<String> {
    if request.contains("GET /_ping ") {
        Some(ok("OK"))
    } else if request.contains("GET /version ") {
        let version = r#"{"Version":"20.10.24","ApiVersion":"1.41","Os":"linux","Arch":"amd64"}"#;
        Some(ok(version))
    } else {
        None
    }
}

/// A complete answer.
pub(super) fn ok(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The beginning of an answer whose end never comes.
pub(super) fn begins(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n")
}
