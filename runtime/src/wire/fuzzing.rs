//! Bodies of fuzz targets: the bytes of a peer give the same messages in pieces of any size, within bounds of memory, and the
//! messages can be sent again.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use futures_util::{FutureExt as _, StreamExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio_util::codec::{Encoder as _, FramedRead};

use super::error::WireError;
use super::frames::{CHUNK_MAX, Chunk, Chunks};
use super::handshake::{GreetError, Version, greet, greet_as, welcome, welcome_as};
use super::limits::InLane;
use super::read::Messages;
use super::write::{EncodeError, write_messages};
use crate::fuzzing::memory;
use crate::fuzzing::pieces::Dripping;
use crate::protocol::{Message, Request};

/// The memory that reading may always take: the reader's buffer, a frame, and serde's reserve for sequences of which only the
/// length has come. The reserve is at most 1 MiB for each open sequence.
const MEMORY: usize = 8 << 20;

/// The memory that reading may take for each byte that was sent. A service of a plan is large, and its encoding can be little more
/// than zeros.
const MEMORY_PER_BYTE: usize = 256;

/// A stream of frames, as chunks and as messages.
pub fn frames(data: &[u8]) {
    let (read, end) = chunks(data, usize::MAX);
    for size in [1, 7] {
        assert_eq!(chunks(data, size), (read.clone(), end.clone()));
    }
    let mut written = BytesMut::new();
    for (lane, last, content) in &read {
        write(*lane, *last, content, &mut written);
    }
    match end {
        None => assert_eq!(written, data),
        Some(_) => assert!(data.starts_with(&written)),
    }

    let content = &data[..data.len().min(CHUNK_MAX)];
    let mut written = BytesMut::new();
    write(7, true, content, &mut written);
    let expected = (vec![(7, true, content.to_vec())], None);
    assert_eq!(chunks(&written, usize::MAX), expected);

    survives::<Request>(data);
    survives::<Message>(data);
}

/// One message, in two frames. The input's first byte is the size of the first frame.
pub fn messages(data: &[u8]) {
    let Some((cut, content)) = data.split_first() else {
        return;
    };
    let (first, second) = content.split_at(usize::from(*cut).min(content.len()));
    let mut stream = BytesMut::new();
    write(7, false, first, &mut stream);
    write(7, true, &second[..second.len().min(CHUNK_MAX)], &mut stream);
    survives::<Request>(&stream);
    survives::<Message>(&stream);
}

fn write(lane: u64, last: bool, content: &[u8], to: &mut BytesMut) {
    let chunk = Chunk {
        lane,
        last,
        content,
    };
    Chunks::new()
        .encode(chunk, to)
        .expect("a chunk of this size");
}

type Read = (u64, bool, Vec<u8>);

/// The chunks of a stream in pieces of this size, and how the stream ends.
fn chunks(bytes: &[u8], size: usize) -> (Vec<Read>, Option<String>) {
    let mut stream = FramedRead::new(Dripping { bytes, size }, Chunks::new());
    let mut read = Vec::new();
    loop {
        match at_once(stream.next()) {
            Some(Ok(chunk)) => {
                assert!(chunk.content.len() <= CHUNK_MAX);
                read.push((chunk.lane, chunk.last, chunk.content.to_vec()));
            }
            Some(Err(error)) => return (read, Some(error.to_string())),
            None => return (read, None),
        }
    }
}

/// Asserts that the messages of a stream are the same if it comes in pieces, and if they are written and read again.
fn survives<T>(data: &[u8])
where
    T: InLane + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let ((read, end), peak) = memory::peak(|| all::<T>(data, usize::MAX));
    let bound = MEMORY + MEMORY_PER_BYTE * data.len();
    assert!(peak <= bound, "{peak} bytes for {}", data.len());
    assert!(!matches!(end, Err(WireError::Io(_))), "{end:?}");
    let text = |end: Result<(), WireError>| end.map_err(|error| error.to_string());
    let end = text(end);
    for size in [7, 100] {
        let (again, how) = all::<T>(data, size);
        assert_eq!((&again, text(how)), (&read, end.clone()));
    }
    if read.is_empty() {
        return;
    }

    let (sender, receiver) = mpsc::unbounded_channel();
    for message in read {
        sender.send(message).expect("a receiver");
    }
    drop(sender);
    let mut written = Vec::new();
    let refused = |_: T, error: &EncodeError| panic!("{error}");
    at_once(write_messages(&mut written, receiver, refused)).expect("memory can be written");
    let (again, end) = all::<T>(&written, usize::MAX);
    end.expect("what is written is well-formed");
    assert_eq!(by_lane(again), by_lane(all(data, usize::MAX).0));
}

/// All messages of a stream in pieces of this size, and how the stream ends.
fn all<T: DeserializeOwned>(bytes: &[u8], size: usize) -> (Vec<T>, Result<(), WireError>) {
    let mut messages = Messages::new(Dripping { bytes, size });
    let mut read = Vec::new();
    let end = loop {
        match at_once(messages.next()) {
            Ok(Some(message)) => read.push(message),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert!(matches!(at_once(messages.next()), Ok(None)), "it goes on");
    (read, end)
}

/// The messages, sorted by lane. Only messages of one lane have an order.
fn by_lane<T: InLane>(mut messages: Vec<T>) -> Vec<T> {
    messages.sort_by_key(InLane::lane);
    messages
}

/// The value of a future that need not wait.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("it waits for more")
}

/// Greetings of a peer, to a client and to a server, and two versions that differ as the input says.
pub fn handshake(data: &[u8]) {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            for server in [false, true] {
                greeted(server, data).await;
            }
            versions(data).await;
        });
    });
}

/// The size of the longest greeting and its length.
const GREETING: usize = 4 + 1024;

async fn greeted(server: bool, says: &[u8]) {
    let mut peer = Peer {
        says,
        heard: Vec::new(),
    };
    let outcome = if server {
        welcome(&mut peer).await
    } else {
        greet(&mut peer).await
    };
    let taken = says.len() - peer.says.len();
    let announced = says
        .first_chunk()
        .map(|length| u32::from_be_bytes(*length) as usize);
    assert!(taken <= GREETING.min(4 + announced.unwrap_or(0)));
    match outcome {
        // The bytes after the greeting are not read.
        Ok(()) => assert_eq!(Some(taken), announced.map(|length| 4 + length)),
        Err(GreetError::Closed) => assert_eq!(taken, says.len()),
        Err(GreetError::NotSeatrial(_)) => {}
        Err(GreetError::OtherVersion { own, peer }) => assert_ne!(own, peer),
        Err(error @ (GreetError::Silent(_) | GreetError::Io(_))) => panic!("{error}"),
    }
    assert!(peer.heard.len() <= GREETING);
}

/// Asserts that equal versions accept each other, and that others both report the two versions.
async fn versions(data: &[u8]) {
    let (first, second) = data.split_at(data.len() / 2);
    let version = |data: &[u8]| {
        let text = data.iter().filter(|byte| byte.is_ascii_graphic()).take(100);
        Version {
            protocol: u32::from(data.first().is_some_and(|byte| byte % 2 == 0)),
            text: text.fold("v".to_owned(), |text, byte| {
                text + &char::from(*byte).to_string()
            }),
        }
    };
    let (of_client, of_server) = (version(first), version(second));
    let (mut client, mut server) = tokio::io::duplex(16);
    let (at_client, at_server) = tokio::join!(
        greet_as(of_client.clone(), &mut client),
        welcome_as(of_server.clone(), &mut server),
    );
    for (outcome, expected_own, expected_peer) in [
        (at_client, &of_client, &of_server),
        (at_server, &of_server, &of_client),
    ] {
        match outcome {
            Ok(()) => assert_eq!(of_client, of_server),
            Err(GreetError::OtherVersion { own, peer }) => {
                assert_eq!((&own, &peer), (expected_own, expected_peer));
                assert_ne!(own, peer);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// A peer that has sent all its bytes, and accepts everything.
struct Peer<'a> {
    says: &'a [u8],
    heard: Vec<u8>,
}

impl AsyncRead for Peer<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.says).poll_read(context, to)
    }
}

impl AsyncWrite for Peer<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.heard).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
