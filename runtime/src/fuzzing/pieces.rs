//! Bytes in pieces.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use crate::engine::Output;

/// A stream that has all its bytes, and hands out a limited number at a time.
pub(crate) struct Dripping<'a> {
    pub(crate) bytes: &'a [u8],
    /// Never zero.
    pub(crate) size: usize,
}

impl AsyncRead for Dripping<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let count = self.size.min(self.bytes.len()).min(to.remaining());
        let (piece, rest) = self.bytes.split_at(count);
        to.put_slice(piece);
        self.bytes = rest;
        Poll::Ready(Ok(()))
    }
}

/// A container's output, decoded from the input. Before each piece is a byte with its length; its highest bit is set for standard
/// error.
pub(crate) fn output(mut data: &[u8]) -> Vec<Output> {
    let mut pieces = Vec::new();
    while let Some((head, rest)) = data.split_first() {
        let (piece, rest) = rest.split_at(usize::from(head & 0x7f).min(rest.len()));
        pieces.push(Output {
            stderr: head & 0x80 != 0,
            bytes: piece.to_vec(),
        });
        data = rest;
    }
    pieces
}

/// The bytes of one of the two streams.
pub(crate) fn stream(pieces: &[Output], stderr: bool) -> Vec<u8> {
    let pieces = pieces.iter().filter(|piece| piece.stderr == stderr);
    pieces.flat_map(|piece| piece.bytes.clone()).collect()
}
