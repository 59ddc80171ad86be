//! What a process sends to its supervisor and is sent by it a piece at a time, whatever its size: archives of files, the input of a
//! command. Reading and writing block, for what is packed and unpacked on the way does; so each has a thread of its own.

use std::io::{self, Read, Write};

use tokio::sync::{mpsc, oneshot};

use crate::client::{Client, Sending};
use crate::flow::{Allowance, PIECE, Reading};
use crate::operation::block_on;
use crate::protocol::CallId;
use crate::{Error, ErrorKind, files};

/// Does it on a thread of its own.
pub(crate) fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (outcome, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("seatrial-copy".to_owned())
        .spawn(move || outcome.send(work()))
        .expect("a process that cannot start a thread cannot run tests");
    receiver
}

pub(crate) fn ending() -> Error {
    Error::new(ErrorKind::Interrupted, "the process is ending")
}

/// Sends what belongs to a call.
pub(crate) struct PieceWriter {
    client: &'static Client,
    call: CallId,
    allowance: Allowance,
    /// What is sent next.
    piece: Vec<u8>,
    /// Nobody takes it any more; the answer says why.
    unread: bool,
    /// The supervisor knows that nothing more will come.
    ended: bool,
}

impl PieceWriter {
    pub(crate) fn new(client: &'static Client, sending: &Sending) -> Self {
        Self {
            client,
            call: sending.call,
            allowance: sending.allowance.clone(),
            piece: Vec::new(),
            unread: false,
            ended: false,
        }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.unread || block_on(self.allowance.take(self.piece.len())).is_err() {
            self.unread = true;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.client.send_piece(self.call, piece);
        Ok(())
    }

    /// Says whether what was sent is all; returns what came of it here, or nothing of what nobody takes any more.
    pub(crate) fn end<T: Default>(mut self, written: Result<T, Error>) -> Result<T, Error> {
        let sent = written.is_ok() && self.send().is_ok();
        if sent {
            self.ended = true;
            self.client.end_pieces(self.call, Ok(()));
        }
        match self.unread {
            true => Ok(T::default()),
            false => written,
        }
    }
}

impl Write for PieceWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..fits]);
        if self.piece.len() == PIECE {
            self.send()?;
        }
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Also where whoever writes has panicked: the supervisor does not wait for more.
impl Drop for PieceWriter {
    fn drop(&mut self) {
        if !self.ended {
            let why = "the files could not be read to their end".to_owned();
            self.client.end_pieces(self.call, Err(why));
        }
    }
}

/// Receives what a call streams.
pub(crate) struct PieceReader {
    client: &'static Client,
    call: CallId,
    received: mpsc::UnboundedReceiver<Result<Vec<u8>, Error>>,
    reading: Reading,
    /// What has come and is not read yet.
    piece: io::Cursor<Vec<u8>>,
    /// Why no more comes.
    failed: Option<Error>,
}

impl PieceReader {
    pub(crate) fn new(
        client: &'static Client,
        call: CallId,
        received: mpsc::UnboundedReceiver<Result<Vec<u8>, Error>>,
    ) -> Self {
        Self {
            client,
            call,
            received,
            reading: Reading::default(),
            piece: io::Cursor::default(),
            failed: None,
        }
    }

    /// What came of reading: why no more came is the better reason for it.
    pub(crate) fn end<T>(mut self, read: Result<T, Error>) -> Result<T, Error> {
        self.failed.take().map_or(read, Err)
    }
}

impl Read for PieceReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        files::read_pieces(&mut self.piece, into, || {
            match self.received.blocking_recv() {
                Some(Ok(piece)) => {
                    if let Some(units) = self.reading.read(piece.len()) {
                        self.client.have_read(self.call, units);
                    }
                    Ok(Some(piece))
                }
                Some(Err(error)) => {
                    self.failed = Some(error);
                    Err(io::ErrorKind::UnexpectedEof.into())
                }
                None => Ok(None),
            }
        })
    }
}

impl Drop for PieceReader {
    fn drop(&mut self) {
        self.client.stop_stream(self.call);
    }
}
