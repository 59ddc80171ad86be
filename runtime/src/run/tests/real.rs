//! The supervisor as users have it, and who says to it what is not understood.

use std::io::{Read, Write};

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use super::super::election::Election;
use super::super::process::ProcessId;
use super::Fixture;
use crate::protocol::{Action, Caller, Message, Request, RequestBody};
use crate::wire::{self, Messages};

/// A test process, which the supervisor has welcomed.
struct Peer {
    requests: mpsc::UnboundedSender<Request>,
    messages: Messages<tokio::net::unix::OwnedReadHalf, Message>,
    next: u64,
    writing: tokio::task::JoinHandle<Result<(), wire::WireError>>,
}

fn election(fixture: &Fixture) -> Election<'static> {
    Election::new(fixture.directory(), fixture.process)
}

/// A connection on which nothing was said.
async fn connection(fixture: &Fixture) -> UnixStream {
    let stream = election(fixture).connect().expect("a supervisor").stream;
    stream.set_nonblocking(true).expect("it is a socket");
    UnixStream::from_std(stream).expect("a runtime")
}

impl Peer {
    async fn welcomed(fixture: &Fixture) -> Self {
        let mut stream = connection(fixture).await;
        wire::greet(&mut stream).await.expect("a welcome");
        let (read, write) = stream.into_split();
        let (requests, to_write) = mpsc::unbounded_channel();
        let writing = tokio::spawn(wire::write_messages(write, to_write, |_, _| None));
        Self {
            writing,
            requests,
            messages: Messages::new(read),
            next: 0,
        }
    }

    /// Closes the connection.
    async fn leave(self) {
        drop((self.requests, self.messages));
        let written = self.writing.await.expect("it does not panic");
        written.expect("all was written");
    }

    /// Asks for something that needs no engine, and is answered.
    async fn is_served(&mut self) {
        self.next += 1;
        let body = RequestBody::Act {
            instance: 7,
            action: Action::Stop { grace_period: None },
            caller: Caller::Handle,
        };
        let call = self.next;
        self.requests.send(Request { call, body }).expect("sent");
        match self.messages.next().await {
            Ok(Some(Message::Answer {
                call: answered,
                outcome: Err(error),
            })) => {
                assert_eq!(answered, call);
                assert!(error.to_string().contains("gone"), "{error}");
            }
            other => panic!("not {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_supervisor_that_is_asked_to_end_leaves_at_once() {
    let fixture = Fixture::new("asked-to-end");
    let mut peer = Peer::welcomed(&fixture).await;
    peer.is_served().await;
    let listener = connection(&fixture).await.peer_cred();
    let pid = listener.expect("it is known").pid().expect("its number");
    let supervisor = ProcessId::of(pid.cast_unsigned()).expect("it runs");
    // SAFETY: the call takes two numbers, the first of a process that this test has started.
    unsafe { libc::kill(pid, libc::SIGTERM) };
    // Although a client is connected, and the run goes on.
    assert!(matches!(peer.messages.next().await, Ok(None) | Err(_)));
    supervisor.ended().await;
    assert!(!fixture.directory().path().exists());
}

#[tokio::test]
async fn what_is_not_understood_is_refused_and_harms_nobody() {
    let fixture = Fixture::new("garbage");
    let mut peer = Peer::welcomed(&fixture).await;
    peer.is_served().await;

    // Before the welcome: no greeting, one that is far too long, and one of another version.
    let other = [b"seatrial".as_slice(), &9_u32.to_le_bytes(), b"9.9.9"].concat();
    let framed = |content: &[u8]| {
        let length = u32::try_from(content.len()).expect("it is short");
        [&length.to_be_bytes(), content].concat()
    };
    for greeting in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 1 << 16],
        framed(b"seatrial"),
        framed(&other),
    ] {
        let mut stream = election(&fixture).connect().expect("it is there").stream;
        // It may be closed before all is said.
        let _ = stream.write_all(&greeting);
        let mut answer = Vec::new();
        // An error where it has closed with something unread.
        let _ = stream.read_to_end(&mut answer);
        peer.is_served().await;
    }

    // After it: a frame that is too long, one that holds no message, one that ends in the middle.
    for said in [
        vec![0xff; 64],
        framed(&[0; 3]),
        framed(&[[0; 8].as_slice(), &[1], b"\xc1garbage"].concat()),
        100_u32.to_be_bytes().to_vec(),
    ] {
        let mut stream = connection(&fixture).await;
        wire::greet(&mut stream).await.expect("a welcome");
        stream.write_all(&said).await.expect("it listens");
        stream.shutdown().await.expect("nothing more is said");
        let mut messages = Messages::<_, Message>::new(stream);
        // Nothing is answered, and the connection is closed.
        assert!(matches!(messages.next().await, Ok(None) | Err(_)));
        peer.is_served().await;
    }
    let log = std::fs::read_to_string(fixture.directory().log()).expect("a log");
    assert!(log.contains("it has sent an invalid message"), "{log}");
    assert!(
        log.contains("it has sent a message that is too large"),
        "{log}"
    );
    assert!(!log.contains("panicked"), "{log}");
    peer.leave().await;
}
