//! A followed log.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc;

use crate::Error;
use crate::client::Client;
use crate::deadline::{Bound, Wait};
use crate::flow::Reading;
use crate::operation::block_on_until;
use crate::protocol::{Action, CallId, FollowEnd, InstanceId, LogLine};

/// A stream of the lines of a service's log, from the first line. It goes on when the service is stopped and started again,
/// and ends when the service's container is removed.
///
/// A slow reader delays nobody else: at most about 1 MiB of lines is buffered, and the rest stays with the engine. A line
/// longer than 64 KiB is cut, see [`LogLine`].
///
/// ```no_run
/// # async fn asynchronous(db: seatrial::Service) -> Result<(), seatrial::Error> {
/// let mut lines = db.log_lines();
/// while let Some(line) = lines.next().await.transpose()? {
///     if line.text.contains("slow query") {
///         break;
///     }
/// }
/// # Ok(()) }
/// # fn plain(db: seatrial::Service) -> Result<(), seatrial::Error> {
/// for line in db.log_lines().wait_iter().take(10) {
///     println!("{}", line?);
/// }
/// # Ok(()) }
/// ```
pub struct LogLines {
    client: &'static Client,
    follow: CallId,
    lines: mpsc::UnboundedReceiver<Result<LogLine, Error>>,
    reading: Reading,
    bound: Bound,
    /// Somebody waits for a line.
    wait: Option<Wait>,
    /// A wait for a line has ended with the time of the test.
    is_over: bool,
}

impl LogLines {
    pub(crate) fn new(
        client: &'static Client,
        instance: InstanceId,
        until: FollowEnd,
        bound: Bound,
    ) -> Self {
        let (follow, lines) = client.follow(instance, Action::Follow { until });
        Self {
            client,
            follow,
            lines,
            reading: Reading::default(),
            bound,
            wait: None,
            is_over: false,
        }
    }

    fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<LogLine, Error>>> {
        let line = self.lines.poll_recv(context);
        if let Poll::Ready(Some(Ok(line))) = &line
            && let Some(units) = self.reading.read(line.text.len())
        {
            self.client.have_read(self.follow, units);
        }
        self.bound.note_wait(&mut self.wait, line.is_pending());
        line.map_err(|error| self.bound.locate(error))
    }

    /// The next line. `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<LogLine, Error>> {
        poll_fn(|context| self.poll_line(context)).await
    }

    /// Blocks the thread until there is a next line. `None` after the last one. If the time of the test that waits is over,
    /// the last item is an error of the kind [`TimedOut`](crate::ErrorKind::TimedOut).
    pub fn wait_next(&mut self) -> Option<Result<LogLine, Error>> {
        if self.is_over {
            return None;
        }
        let until = self.bound.of_wait();
        block_on_until(self.next(), until).unwrap_or_else(|| {
            self.is_over = true;
            Some(Err(self.bound.exceeded()))
        })
    }

    /// An iterator over the lines. Each step blocks like [`wait_next`](Self::wait_next).
    pub fn wait_iter(mut self) -> impl Iterator<Item = Result<LogLine, Error>> {
        std::iter::from_fn(move || self.wait_next())
    }
}

impl Stream for LogLines {
    type Item = Result<LogLine, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_line(context)
    }
}

impl Drop for LogLines {
    fn drop(&mut self) {
        self.client.stop_stream(self.follow);
    }
}

impl fmt::Debug for LogLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogLines(..)")
    }
}
