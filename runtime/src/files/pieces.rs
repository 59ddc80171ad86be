//! Reading an archive that arrives in pieces.

use std::io::{self, Cursor, Read as _};

/// Reads from the piece that came last, and from the `next` one when that is used up. At the end there is no next one.
pub(crate) fn read_pieces(
    piece: &mut Cursor<Vec<u8>>,
    into: &mut [u8],
    mut next: impl FnMut() -> io::Result<Option<Vec<u8>>>,
) -> io::Result<usize> {
    loop {
        let read = piece.read(into)?;
        if read > 0 || into.is_empty() {
            return Ok(read);
        }
        match next()? {
            Some(next) => *piece = Cursor::new(next),
            None => return Ok(0),
        }
    }
}
