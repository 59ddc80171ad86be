//! Conversations over real connections with servers of a few lines.

use seatrial_model::Protocol;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::conversation::{LIMIT, QUOTED, Verdict, text};
use super::dialect::conversation;
use super::login::Login;
use super::server::{NoVerdict, converse};

/// The end of a conversation with a server that behaves like this, and the value of the server's function.
async fn with<T>(
    protocol: Protocol,
    serve: impl AsyncFnOnce(TcpStream) -> T,
) -> (Result<Verdict, NoVerdict>, T) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let server = async {
        let (stream, _) = listener.accept().await.expect("a connection");
        serve(stream).await
    };
    let client = async {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let login = Login::default();
        converse(stream, &mut *conversation(protocol, &login)).await
    };
    tokio::join!(client, server)
}

/// Everything that the client sends until it leaves.
async fn all(mut stream: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.expect("it goes");
    said
}

#[tokio::test]
async fn a_server_is_heard_to_the_end_and_left_in_peace() {
    let (outcome, said) = with(Protocol::Nats, async |mut stream| {
        for piece in ["INFO {\"a\"", ":1}\r\n", "PONG\r\n", "PING\r\n"] {
            stream
                .write_all(piece.as_bytes())
                .await
                .expect("it listens");
        }
        all(stream).await
    })
    .await;
    assert_eq!(outcome, Ok(Verdict::Answers));
    assert!(said.starts_with(b"CONNECT ") && said.ends_with(b"PING\r\n"));
}

#[tokio::test]
async fn a_server_that_refuses_before_it_listens_is_heard() {
    let denied = async |mut stream: TcpStream| {
        let words = b"-DENIED Redis is running in protected mode. Do this\r\n";
        stream.write_all(words).await.expect("it listens");
    };
    let (outcome, ()) = with(Protocol::Redis, denied).await;
    assert!(
        matches!(&outcome, Ok(Verdict::NotYet { said, advice: Some(_) }) if said.ends_with("mode")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn other_answers_are_distinguished() {
    let closed = with(Protocol::Mysql, async |stream| drop(stream)).await.0;
    assert_eq!(closed, Err(NoVerdict::Closed));
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    let answer = async |mut stream: TcpStream| stream.write_all(http).await.expect("it listens");
    let foreign = with(Protocol::Mysql, answer).await.0;
    assert_eq!(foreign, Err(NoVerdict::Foreign(http.to_vec())));
    let cut = async |mut stream: TcpStream| stream.write_all(b"INFO {").await.expect("it listens");
    let cut = with(Protocol::Nats, cut).await.0;
    assert_eq!(cut, Err(NoVerdict::Foreign(b"INFO {".to_vec())));
}

#[tokio::test]
async fn a_server_that_never_ends_is_not_read_for_ever() {
    let endless = async |mut stream: TcpStream| {
        stream.write_all(b"INFO {").await.expect("it listens");
        while stream.write_all(&[b' '; 4096]).await.is_ok() {}
    };
    let (outcome, ()) = with(Protocol::Nats, endless).await;
    let Err(NoVerdict::Foreign(said)) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(said.len() < 4 * LIMIT, "{}", said.len());
    let shown = text(&said);
    assert_eq!(shown, "INFO {");
}

#[test]
fn what_is_quoted_has_a_limit() {
    let long = "ä".repeat(1000);
    let shown = text(long.as_bytes());
    assert_eq!(shown.chars().count(), QUOTED + 2);
    assert!(shown.ends_with(".."));
    assert_eq!(text(b"\xff\0no\r\n"), "\u{fffd}\0no");
}
