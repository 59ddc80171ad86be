//! One request to an engine and its answer, on a connection of its own.
//!
//! For answers that bollard cannot read. The connection ends with the future of the exchange, so the engine notices that
//! nobody waits any more.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bollard::errors::Error;
use bytes::Bytes;
use futures_core::Stream as _;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::engine::address::Address;
use crate::engine::docker::held_back::HeldBack;

/// The most bytes of an engine's error that are read.
const ERROR_MAX: usize = 64 * 1024;

/// Posts an archive, and hands out the pieces of the answer as they come.
///
/// # Errors
///
/// There is no answer, or an error of the engine. An error of `piece` ends the exchange.
pub(super) async fn post(
    address: &Address,
    path: &str,
    archive: HeldBack,
    piece: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let request = Request::post(path)
        .header(HOST, "localhost")
        .header(CONTENT_TYPE, "application/x-tar")
        .body(Archive(archive))?;
    match address {
        Address::Unix(path) => exchange(UnixStream::connect(path).await?, request, piece).await,
        Address::Tcp(authority) => {
            exchange(TcpStream::connect(authority).await?, request, piece).await
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Archive>,
    piece: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The connection advances only while it is polled. The answer reports how it ended.
    let connection = async {
        let _ = connection.await;
        pending::<Infallible>().await
    };
    let answer = async { read(sender.send_request(request).await?, piece).await };
    tokio::select! {
        biased;
        answer = answer => answer,
        never = connection => match never {},
    }
}

/// Reads an answer to its end.
async fn read(
    answer: Response<Incoming>,
    mut piece: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let status = answer.status();
    let mut body = answer.into_body();
    if status != StatusCode::OK {
        return Err(refusal(status, &mut body).await);
    }
    while let Some(bytes) = next(&mut body).await? {
        piece(&bytes)?;
    }
    Ok(())
}

/// The error of an answer with another status.
async fn refusal(status: StatusCode, body: &mut Incoming) -> Error {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    let mut text = Vec::new();
    while text.len() < ERROR_MAX {
        let Ok(Some(bytes)) = next(body).await else {
            break;
        };
        text.extend(bytes);
    }
    let message = match serde_json::from_slice(&text) {
        Ok(Refusal { message }) => message,
        Err(_) => String::from_utf8_lossy(&text).into_owned(),
    };
    Error::DockerResponseServerError {
        status_code: status.as_u16(),
        message,
    }
}

/// The next piece of a body. `None` at its end.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Error> {
    loop {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        let Some(frame) = frame.transpose()? else {
            return Ok(None);
        };
        if let Ok(bytes) = frame.into_data() {
            return Ok(Some(bytes));
        }
    }
}

/// An archive as the body of a request.
struct Archive(HeldBack);

impl Body for Archive {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = ready!(Pin::new(&mut self.0).poll_next(context));
        Poll::Ready(piece.map(|piece| piece.map(|bytes| Frame::data(bytes.into()))))
    }
}
