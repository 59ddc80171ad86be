//! The greetings at the beginning of a connection: one frame in each direction, in a layout that never changes.
//!
//! ```text
//! client: length: u32 BE | "seatrial" | protocol: u32 LE |                      version: UTF-8
//! server: length: u32 BE | "seatrial" | protocol: u32 LE | 1 accepted 0 refused | version: UTF-8
//! ```
//!
//! It must never read beyond its frame: the bytes after it belong to the messages.

use std::time::Duration;
use std::{fmt, io};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// The number of the protocol. It distinguishes builds whose messages differ although the package's version is the same.
pub(super) const PROTOCOL: u32 = 1;

const MAGIC: &[u8] = b"seatrial";

/// The largest size of a greeting, in bytes. A version is short.
const GREETING_MAX: usize = 1024;

/// How long a server waits for a client's greeting.
pub(super) const GREETING_DEADLINE: Duration = Duration::from_secs(10);

/// How long a client waits for the answer. It is longer, because a server on a busy machine accepts late.
pub(super) const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// Why a connection cannot be established.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum GreetError {
    /// The peer closed the connection before it answered. A server does so when it is about to end; the client should try again.
    Closed,
    /// The peer sent nothing for this time.
    Silent(Duration),
    /// The peer is another version of Seatrial. A server has refused it.
    OtherVersion { own: Version, peer: Version },
    /// The peer is not Seatrial, because its greeting is malformed in this way.
    NotSeatrial(&'static str),
    /// The stream cannot be read or written.
    Io(io::Error),
}

impl fmt::Display for GreetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the peer closed the connection before it answered"),
            Self::Silent(time) => write!(f, "the peer did not answer within {} s", time.as_secs()),
            Self::OtherVersion { own, peer } => write!(
                f,
                "the processes of this run are built with different versions of `seatrial`: this one with {own}, its \
                 peer with {peer}; build all tests of the run with one version of `seatrial` (`cargo tree -i seatrial` \
                 shows which packages depend on which)"
            ),
            Self::NotSeatrial(what) => write!(f, "the peer is not a seatrial process: {what}"),
            Self::Io(error) => write!(f, "the connection is broken: {error}"),
        }
    }
}

impl std::error::Error for GreetError {}

impl From<io::Error> for GreetError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // A socket that is closed before its owner has read all its data is reset.
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

/// The version of a peer. It must be equal on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) protocol: u32,
    /// The version of the package.
    pub(crate) text: String,
}

impl Version {
    pub(super) fn own() -> Self {
        Self {
            protocol: PROTOCOL,
            text: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (protocol {})", self.text, self.protocol)
    }
}

/// Greets as a client, and waits until the server has accepted.
///
/// # Errors
///
/// The peer is not Seatrial, is another version of it, closes the connection, or does not answer.
pub(crate) async fn greet(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<(), GreetError> {
    greet_as(Version::own(), stream).await
}

/// Waits as a server for a client's greeting, and answers it.
///
/// # Errors
///
/// The peer is not Seatrial, is another version of it (the peer gets the answer first), closes the connection, or sends nothing.
pub(crate) async fn welcome(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<(), GreetError> {
    welcome_as(Version::own(), stream).await
}

pub(super) async fn greet_as(
    own: Version,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<(), GreetError> {
    let exchange = async {
        send(stream, &own, &[]).await?;
        let answer = receive(stream).await?;
        let (protocol, rest) = split(&answer)?;
        let (verdict, text) = rest
            .split_first()
            .ok_or(GreetError::NotSeatrial("its answer has no verdict"))?;
        let peer = version(protocol, text)?;
        match (verdict, peer == own) {
            (1, true) => Ok(()),
            (0 | 1, false) => Err(GreetError::OtherVersion { own, peer }),
            _ => Err(GreetError::NotSeatrial(
                "its verdict contradicts its version",
            )),
        }
    };
    within(ANSWER_DEADLINE, exchange).await
}

pub(super) async fn welcome_as(
    own: Version,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<(), GreetError> {
    let exchange = async {
        let greeting = receive(stream).await?;
        let (protocol, text) = split(&greeting)?;
        let peer = version(protocol, text)?;
        let accepted = peer == own;
        send(stream, &own, &[u8::from(accepted)]).await?;
        if accepted {
            Ok(())
        } else {
            Err(GreetError::OtherVersion { own, peer })
        }
    };
    within(GREETING_DEADLINE, exchange).await
}

async fn within(
    deadline: Duration,
    exchange: impl Future<Output = Result<(), GreetError>>,
) -> Result<(), GreetError> {
    timeout(deadline, exchange)
        .await
        .unwrap_or(Err(GreetError::Silent(deadline)))
}

async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    own: &Version,
    verdict: &[u8],
) -> io::Result<()> {
    let protocol = own.protocol.to_le_bytes();
    let content = [MAGIC, &protocol, verdict, own.text.as_bytes()].concat();
    let length = (content.len() as u32).to_be_bytes();
    stream.write_all(&[&length[..], &content].concat()).await?;
    stream.flush().await
}

async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, GreetError> {
    let length = stream.read_u32().await? as usize;
    if length > GREETING_MAX {
        return Err(GreetError::NotSeatrial("its greeting is too long"));
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await?;
    Ok(content)
}

/// The protocol's number, and the rest of the greeting.
fn split(greeting: &[u8]) -> Result<(u32, &[u8]), GreetError> {
    greeting
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.split_first_chunk())
        .map(|(protocol, rest)| (u32::from_le_bytes(*protocol), rest))
        .ok_or(GreetError::NotSeatrial("its greeting has another layout"))
}

fn version(protocol: u32, text: &[u8]) -> Result<Version, GreetError> {
    match std::str::from_utf8(text) {
        // The version is shown to people.
        Ok(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Version {
                protocol,
                text: text.to_owned(),
            })
        }
        _ => Err(GreetError::NotSeatrial("its version is not printable text")),
    }
}
