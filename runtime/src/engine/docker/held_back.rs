//! An archive on its way to the engine. Its end is held back until the archive is known to be complete.
//!
//! An engine stops reading at the archive's end marker. An error after the marker (the process that packs the archive
//! fails) would come too late, and the engine would take a part for all of it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::engine::error::EngineError;
use crate::engine::parts::Parts;

/// The body of a request.
pub(super) struct HeldBack {
    archive: Parts<Vec<u8>>,
    held: Vec<u8>,
    broken: Broken,
    done: bool,
}

/// The error that broke the archive, if any.
#[derive(Clone, Default)]
pub(super) struct Broken(Arc<Mutex<Option<EngineError>>>);

impl Broken {
    /// The outcome of the request with this body. If the archive broke, that error replaces the engine's outcome.
    pub(super) fn or_cause(self, outcome: Result<(), EngineError>) -> Result<(), EngineError> {
        self.broken().take().map_or(outcome, Err)
    }

    fn broken(&self) -> std::sync::MutexGuard<'_, Option<EngineError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldBack {
    /// More than the end marker of any archive with its padding (10 KiB).
    const HELD: usize = 64 * 1024;

    pub(super) fn new(archive: Parts<Vec<u8>>) -> (Self, Broken) {
        let broken = Broken::default();
        let body = Self {
            archive,
            held: Vec::new(),
            broken: broken.clone(),
            done: false,
        };
        (body, broken)
    }
}

impl Stream for HeldBack {
    type Item = Result<Vec<u8>, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.done {
                return Poll::Ready(None);
            }
            match this.archive.as_mut().poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(piece))) => {
                    this.held.extend(piece);
                    // The older half is sent once as many bytes have come again, not byte by byte.
                    if this.held.len() >= 2 * Self::HELD {
                        let keep = this.held.split_off(this.held.len() - Self::HELD);
                        return Poll::Ready(Some(Ok(std::mem::replace(&mut this.held, keep))));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    this.done = true;
                    let shown = io::Error::other(error.to_string());
                    *this.broken.broken() = Some(error);
                    return Poll::Ready(Some(Err(shown)));
                }
                Poll::Ready(None) => {
                    this.done = true;
                    return Poll::Ready(Some(Ok(std::mem::take(&mut this.held))));
                }
            }
        }
    }
}
