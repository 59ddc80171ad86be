//! Back-pressure: one end of a connection sends a stream only as fast as the other end reads it.
//!
//! The sender of a stream has an [`Allowance`], and takes from it for each message. The reader counts the messages with a
//! [`Reading`], and reports the count to the sender from time to time. The sender then gives that much back to the allowance. So a
//! slow reader delays only its own stream, not the connection, and memory does not fill up.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// The least that a message counts for, in bytes. A message is larger than its text.
const UNIT: usize = 1024;

/// How many units of a stream are sent before the first is read: 1 MiB.
pub(crate) const WINDOW: u32 = 1024;

/// How many units are read between two reports to the sender.
const TELL_EVERY: u32 = WINDOW / 4;

/// The size of a piece of a file in a message, in bytes. With the rest of the message, it fits a frame of the connection.
pub(crate) const PIECE: usize = 60 * 1024;

/// The units that a message with so many bytes counts for. A message larger than the window takes all of it.
fn units(bytes: usize) -> u32 {
    let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(WINDOW);
    units.clamp(1, WINDOW)
}

/// The units that may be sent.
#[derive(Clone, Debug)]
pub(crate) struct Allowance(Arc<Semaphore>);

/// Nobody reads the stream any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unread;

impl Allowance {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(WINDOW as usize)))
    }

    /// Waits until so many bytes may be sent, and takes them.
    ///
    /// # Errors
    ///
    /// Nobody reads the stream any more.
    pub(crate) async fn take(&self, bytes: usize) -> Result<(), Unread> {
        let permits = self.0.acquire_many(units(bytes)).await;
        permits.map_err(|_| Unread)?.forget();
        Ok(())
    }

    /// Gives back so many units, which have been read.
    pub(crate) fn give_back(&self, units: u32) {
        let missing = (WINDOW as usize).saturating_sub(self.0.available_permits());
        self.0.add_permits(missing.min(units as usize));
    }

    /// Notes that nobody reads the stream any more. Senders that wait get an error.
    pub(crate) fn stop(&self) {
        self.0.close();
    }
}

/// The units that were read since the last report to the sender.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    units: u32,
}

impl Reading {
    /// Counts a message with so many bytes. Returns the units to report to the sender, if a report is due.
    pub(crate) fn read(&mut self, bytes: usize) -> Option<u32> {
        self.units += units(bytes);
        (self.units >= TELL_EVERY).then(|| std::mem::take(&mut self.units))
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    #[test]
    fn no_more_is_sent_than_is_read_and_the_stream_goes_on_when_it_is() {
        for size in [0, 1, UNIT, 60 * UNIT, 100_000, usize::MAX] {
            let allowance = Allowance::new();
            let mut reading = Reading::default();
            let mut unread = 0;
            for _ in 0..10_000 {
                while now(allowance.take(size)).is_some() {
                    unread += 1;
                }
                let bytes = size.min(WINDOW as usize * UNIT);
                assert!(unread * bytes <= WINDOW as usize * UNIT, "of {size}");
                assert!(unread * bytes.max(UNIT) + bytes.max(UNIT) > 512 * UNIT);
                // Whoever reads all that came has told of enough for the next.
                unread -= 1;
                if let Some(units) = reading.read(size) {
                    allowance.give_back(units);
                }
                if unread == 0 {
                    assert!(now(allowance.take(size)).is_some(), "of {size}");
                    unread += 1;
                }
            }
        }
    }

    #[test]
    fn a_stream_that_nobody_reads_ends() {
        let allowance = Allowance::new();
        while now(allowance.take(UNIT)).is_some() {}
        let mut waiting = pin!(allowance.take(1));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(waiting.as_mut().poll(&mut context), Poll::Pending);
        allowance.stop();
        assert_eq!(
            waiting.as_mut().poll(&mut context),
            Poll::Ready(Err(Unread))
        );
        assert_eq!(now(allowance.take(1)), Some(Err(Unread)));
    }

    #[test]
    fn no_more_is_given_back_than_was_taken() {
        let allowance = Allowance::new();
        allowance.give_back(u32::MAX);
        assert_eq!(now(allowance.take(usize::MAX)), Some(Ok(())));
        assert_eq!(now(allowance.take(0)), None);
    }
}
