//! A socket of a test's own, behind which something speaks to the real client as the test says.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::AsyncReadExt as _;
use tokio::net::{UnixListener, UnixStream};

use super::address::Address;
use super::docker::Docker;

/// A socket, which goes with it.
pub(super) struct Socket(pub(super) PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A client of an engine that has each of its connections served so. The engine must say what it is, as
/// [`what_it_is`] does.
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

/// The beginning of the next request. What is in its body is read as if it were another's.
pub(super) async fn head(stream: &mut UnixStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// The answer to a request for what the engine is: one whose endpoints are deleted one at a time.
pub(super) fn what_it_is(request: &str) -> Option<String> {
    if request.contains("GET /_ping ") {
        Some(ok("OK"))
    } else if request.contains("GET /version ") {
        let version = r#"{"Version":"20.10.24","ApiVersion":"1.41","Os":"linux","Arch":"amd64"}"#;
        Some(ok(version))
    } else {
        None
    }
}

/// A whole answer.
pub(super) fn ok(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The beginning of an answer that goes on.
pub(super) fn begins(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n")
}
