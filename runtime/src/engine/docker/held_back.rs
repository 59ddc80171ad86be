//! An archive on its way to the engine, of which the end is kept back until it is known to be whole.
//!
//! An engine stops reading at the archive's end marker: what breaks behind it (the process that packs it exits with an
//! error) would come too late, and the engine would take half of something for all of it.

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

/// What has broken the archive, if anything.
#[derive(Clone, Default)]
pub(super) struct Broken(Arc<Mutex<Option<EngineError>>>);

impl Broken {
    /// The outcome of the request whose body it was: what broke the archive is the cause of whatever the engine says
    /// about it.
    pub(super) fn cause_of(self, outcome: Result<(), EngineError>) -> Result<(), EngineError> {
        self.broken().take().map_or(outcome, Err)
    }

    fn broken(&self) -> std::sync::MutexGuard<'_, Option<EngineError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldBack {
    /// More than any archive's end marker with its padding (10 KiB).
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
                    // Not byte by byte: only once as much again has come does the older half go.
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
