//! Operations that can be awaited or blocked on, on any async runtime or none.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Instant;

use crate::Error;
use crate::deadline::{Bound, Wait};

/// An operation that has begun: `.await` it in async code, or [`wait`](Self::wait) for it anywhere else.
///
/// The work begins when the operation is created, not when it is first polled. Another thread or process does it. Dropping
/// the operation does not stop the work.
///
/// ```no_run
/// # use seatrial::Service;
/// # async fn asynchronous(db: Service) -> Result<(), seatrial::Error> {
/// db.restart().await?;
/// # Ok(()) }
/// # fn plain(db: Service) -> Result<(), seatrial::Error> {
/// db.restart().wait()?;
/// # Ok(()) }
/// ```
#[must_use = "an operation that is neither awaited nor waited for may fail unseen"]
pub struct Operation<T> {
    /// Never locked. The mutex only makes the operation `Sync`; no method of a shared reference needs the value.
    outcome: Mutex<Outcome<T>>,
    bound: Bound,
    /// Somebody waits for it.
    wait: Option<Wait>,
}

type Outcome<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

impl<T> Operation<T> {
    pub(crate) fn new(outcome: impl Future<Output = Result<T, Error>> + Send + 'static) -> Self {
        Self {
            outcome: Mutex::new(Box::pin(outcome)),
            bound: Bound::default(),
            wait: None,
        }
    }

    /// An operation that has failed before it began.
    pub(crate) fn failed(error: Error) -> Self
    where
        T: Send + 'static,
    {
        Self::new(std::future::ready(Err(error)))
    }

    /// Limits how long a caller waits for the operation.
    pub(crate) fn within(mut self, bound: Bound) -> Self {
        self.bound = bound;
        self
    }

    /// Like [`wait`](Self::wait), but gives up at `until` and returns `None`. The work goes on.
    pub(crate) fn wait_until(self, until: Instant) -> Option<Result<T, Error>> {
        block_on_until(self, Some(until))
    }

    /// Blocks the thread until the operation is done. It works inside an async runtime, too, and blocks the runtime's thread
    /// there.
    ///
    /// # Errors
    ///
    /// The error of the operation. If the time of the test that waits is over first (see
    /// [`timeout`](macro@crate::test#time-outs)), an error of the kind [`TimedOut`](crate::ErrorKind::TimedOut); the work goes on.
    pub fn wait(mut self) -> Result<T, Error> {
        let until = self.bound.of_wait();
        block_on_until(&mut self, until).unwrap_or_else(|| Err(self.bound.exceeded()))
    }
}

impl<T> Future for Operation<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let outcome = this.outcome.get_mut();
        let outcome = outcome.unwrap_or_else(PoisonError::into_inner);
        let polled = outcome.as_mut().poll(context);
        this.bound.note_wait(&mut this.wait, polled.is_pending());
        polled.map_err(|error| this.bound.locate(error))
    }
}

impl<T> fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Operation(..)")
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls `future` on this thread until it is done. Unlike a runtime's `block_on`, it may be called inside a runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    block_on_until(future, None).expect("without a limit it is waited for")
}

/// Like [`block_on`], but gives the future up at `until`.
pub(crate) fn block_on_until<F: Future>(future: F, until: Option<Instant>) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return Some(output),
            Poll::Pending => {
                match until.map(|until| until.checked_duration_since(Instant::now())) {
                    None => std::thread::park(),
                    Some(Some(left)) if !left.is_zero() => std::thread::park_timeout(left),
                    Some(_) => return None,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn waits_for_another_thread() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let operation = Operation::new(async move { Ok(receiver.await.expect("sent")) });
        let sending = std::thread::spawn(move || sender.send(7));
        assert_eq!(operation.wait(), Ok(7));
        sending.join().expect("joined").expect("received");
    }

    #[test]
    fn waits_no_longer_than_asked() {
        let until = Instant::now() + Duration::from_millis(20);
        let never = Operation::<()>::new(std::future::pending());
        assert_eq!(never.wait_until(until), None);
        assert!(Instant::now() >= until);
        let done = Operation::new(async { Ok(1) });
        assert_eq!(
            done.wait_until(until),
            Some(Ok(1)),
            "it is looked at once in any case"
        );
    }

    #[test]
    fn waits_inside_a_runtime() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let value = runtime.block_on(async { Operation::new(async { Ok(1) }).wait() });
        assert_eq!(value, Ok(1));
    }
}
