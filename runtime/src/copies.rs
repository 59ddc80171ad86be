//! Copying files between this machine and a service's container, a piece at a time.
//!
//! To pack files and to unpack them blocks, so each copy has a thread of its own. It waits for whoever is slower: the disk,
//! the supervisor or the engine. Nothing is held but what is under way, see [`flow`](crate::flow).

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::client::{Client, Lease};
use crate::files::LeftOut;
use crate::flow::{Allowance, PIECE, Reading};
use crate::operation::block_on;
use crate::protocol::{CallId, InstanceId, ServiceInfo};
use crate::{Error, ErrorKind, Operation, files};

/// Begins to copy the file, directory or link `from` of this machine to the path `to` in a container.
pub(crate) fn copy_in(
    lease: &Arc<Lease>,
    service: &ServiceInfo,
    from: &Path,
    to: &str,
) -> Operation<()> {
    let checked = files::check(from, to);
    let checked = checked.and_then(|()| files::check_mounts(from, to, &service.mounted));
    if let Err(error) = checked.map_err(|error| of_service(error, service)) {
        return Operation::new(std::future::ready(Err(error)));
    }
    let (lease, from, to) = (lease.clone(), from.to_owned(), to.to_owned());
    let (client, owner) = (lease.client(), service.owner);
    let copy = client.copy_in(service.instance, to.clone(), lease.caller());
    let answer = copy.answer;
    let mut pieces = PieceWriter {
        client,
        copy: copy.call,
        allowance: copy.allowance,
        piece: Vec::new(),
        unread: false,
        ended: false,
    };
    let packed = spawn(move || {
        let packed = files::pack(&from, &to, owner, &mut pieces);
        let packed = pieces.end(packed);
        // The service must not be removed while something is being copied.
        drop(lease);
        packed
    });
    Operation::new(async move {
        // Also where the files could not be read: nothing goes on then that the caller does not know of.
        let answered = answer.await.unwrap_or_else(|_| Err(ending()));
        match packed.await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(left_out)) => answered.and_then(|_| left_out.into_result()),
            Err(_) => answered.map(drop),
        }
    })
}

/// Begins to copy the file, directory or link `from` of a container to the path `to` on this machine.
pub(crate) fn copy_out(
    lease: &Arc<Lease>,
    instance: InstanceId,
    from: &str,
    to: &Path,
) -> Operation<()> {
    let (lease, from, to) = (lease.clone(), from.to_owned(), to.to_owned());
    let client = lease.client();
    let (copy, received) = client.copy_out(instance, from.clone(), lease.caller());
    let mut pieces = PieceReader {
        client,
        copy,
        received,
        reading: Reading::default(),
        piece: io::Cursor::default(),
        failed: None,
    };
    let unpacked = spawn(move || {
        let unpacked = files::unpack(&mut pieces, &from, &to);
        drop(lease);
        pieces.failed.take().map_or(unpacked, Err)
    });
    Operation::new(async move {
        let unpacked = unpacked.await.unwrap_or_else(|_| Err(ending()));
        unpacked.and_then(LeftOut::into_result)
    })
}

fn of_service(error: Error, service: &ServiceInfo) -> Error {
    error.with(|report| report.service = Some(service.field.clone()))
}

/// Does it on a thread of its own.
fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
    let (outcome, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("seatrial-copy".to_owned())
        .spawn(move || outcome.send(work()))
        .expect("a process that cannot start a thread cannot run tests");
    receiver
}

fn ending() -> Error {
    Error::new(ErrorKind::Interrupted, "the process is ending")
}

/// Sends an archive.
struct PieceWriter {
    client: &'static Client,
    copy: CallId,
    allowance: Allowance,
    /// What is sent next.
    piece: Vec<u8>,
    /// Nobody takes it any more; the answer says why.
    unread: bool,
    /// The supervisor knows that nothing more will come.
    ended: bool,
}

impl PieceWriter {
    fn send(&mut self) -> io::Result<()> {
        if self.unread || block_on(self.allowance.take(self.piece.len())).is_err() {
            self.unread = true;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.client.send_piece(self.copy, piece);
        Ok(())
    }

    /// Says whether what was sent is all; returns what went wrong here.
    fn end(mut self, packed: Result<LeftOut, Error>) -> Result<LeftOut, Error> {
        let sent = packed.is_ok() && self.send().is_ok();
        if sent {
            self.ended = true;
            self.client.end_pieces(self.copy, Ok(()));
        }
        match self.unread {
            true => Ok(LeftOut::default()),
            false => packed,
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

/// Also where packing has panicked: the supervisor does not wait for more.
impl Drop for PieceWriter {
    fn drop(&mut self) {
        if !self.ended {
            let why = "the files could not be read to their end".to_owned();
            self.client.end_pieces(self.copy, Err(why));
        }
    }
}

/// Receives an archive.
struct PieceReader {
    client: &'static Client,
    copy: CallId,
    received: mpsc::UnboundedReceiver<Result<Vec<u8>, Error>>,
    reading: Reading,
    /// What has come and is not read yet.
    piece: io::Cursor<Vec<u8>>,
    /// Why no more comes.
    failed: Option<Error>,
}

impl Read for PieceReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            match self.received.blocking_recv() {
                Some(Ok(piece)) => {
                    if let Some(units) = self.reading.read(piece.len()) {
                        self.client.have_read(self.copy, units);
                    }
                    self.piece = io::Cursor::new(piece);
                }
                Some(Err(error)) => {
                    self.failed = Some(error);
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                None => return Ok(0),
            }
        }
    }
}

impl Drop for PieceReader {
    fn drop(&mut self) {
        self.client.stop_stream(self.copy);
    }
}
