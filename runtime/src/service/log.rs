//! What a service logs: all of it, line by line, and waiting for a line.

use super::handle::{Service, unexpected};
use crate::deadline::Bound;
use crate::logs::LogLines;
use crate::protocol::{Action, FollowEnd, LogLine, Reply};
use crate::visible::visible;
use crate::{Error, ErrorKind, Operation};

/// How many lines of the log an error shows.
const LOG_LINES: usize = 20;

impl Service {
    /// Everything it has logged so far, standard output and standard error in the order of their arrival. For a line that
    /// it is about to log, [`wait_log`](Self::wait_log).
    ///
    /// Of a log that is longer than 16 MiB, the end: then its first line says how much is missing, such as
    /// `[.. 1048576 bytes before this are cut]`. All of it can be read with [`log_lines`](Self::log_lines). Both have what
    /// the service wrote as it is, with the colours for a terminal that may be in it; what Seatrial shows itself has none.
    #[track_caller]
    pub fn logs(&self) -> Operation<String> {
        self.act("logs()", Action::Logs { tail: None }, |reply| match reply {
            Reply::Log(text) => text,
            other => unexpected(other),
        })
    }

    pub(crate) fn log_tail(&self, lines: usize) -> Operation<String> {
        let action = Action::Logs { tail: Some(lines) };
        self.act_within(self.bound(), action, |reply| match reply {
            Reply::Log(text) => text,
            other => unexpected(other),
        })
    }

    /// Its log line by line, from the first and on as it grows: a [`Stream`](futures_core::Stream), and an iterator
    /// through [`LogLines::wait_next`]. A line of more than 64 KiB is cut, and says so: see [`LogLine`].
    #[track_caller]
    pub fn log_lines(&self) -> LogLines {
        self.follow(FollowEnd::Removed, self.bound_of("log_lines()"))
    }

    /// Waits for a line of its log that contains `text`, and returns the first one: a line that is there already, or one
    /// that is still to come. A test that has provoked a line should wait for it so, for the engine writes the log with a
    /// delay: [`logs`](Self::logs) may not have the line yet. A line is seen once it has ended; of a line that is longer than
    /// 64 KiB the beginning is looked at, as soon as it is there.
    ///
    /// The line is handed out as it was written, and looked at as a terminal shows it: `text` may be in a line that is
    /// coloured in the middle of it.
    ///
    /// A [`restart`](Self::restart) that is under way is waited for, too. While the service runs, nothing but the test's
    /// own `timeout` bounds the wait.
    ///
    /// ```no_run
    /// # async fn asynchronous(shop: seatrial::Service) -> Result<(), seatrial::Error> {
    /// let line = shop.wait_log("the database does not answer").await?;
    /// assert!(line.stderr);
    /// # Ok(()) }
    /// # fn plain(shop: seatrial::Service) -> Result<(), seatrial::Error> {
    /// shop.wait_log("the database does not answer").wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where its container has ended, or is removed, and no line contains `text`; where the log cannot be read. The error
    /// is of the kind [`Operation`](crate::ErrorKind::Operation) and shows the last lines.
    #[track_caller]
    pub fn wait_log(&self, text: impl Into<String>) -> Operation<LogLine> {
        let text = text.into();
        let bound = self.bound_of(format!("wait_log({text:?})"));
        let wanted = visible(&text).into_owned();
        // Holds the lease, too: the service must not be removed while it is waited for.
        let service = self.clone();
        let mut lines = service.lines_of_run();
        let logged = Operation::new(async move {
            loop {
                while let Some(line) = lines.next().await {
                    match line {
                        Ok(line) if visible(&line.text).contains(&wanted) => return Ok(line),
                        Ok(_) => {}
                        Err(error) => return Err(service.never_logged(&text, &error).await),
                    }
                }
                // The container has stopped. What is being done to it comes first, and may start it again.
                match service.ready_again().await {
                    Err(error) if error.kind() != ErrorKind::NotReady => {
                        return Err(service.never_logged(&text, &error).await);
                    }
                    // It runs.
                    _ => lines = service.lines_of_run(),
                }
            }
        });
        logged.within(bound)
    }

    /// Its log from the first line until its container stops.
    fn lines_of_run(&self) -> LogLines {
        self.follow(FollowEnd::Stopped, self.bound())
    }

    fn follow(&self, until: FollowEnd, bound: Bound) -> LogLines {
        LogLines::new(self.client(), self.info.instance, until, bound)
    }

    async fn never_logged(&self, text: &str, why: &Error) -> Error {
        if self.client().is_lost() {
            // Whether the line came is not known. The cause is the same for every call.
            return why.clone().with(|report| {
                let field = &self.info.field;
                report.details.push(format!(
                    "it was waiting for a line with `{text}` in the log of `{field}`"
                ));
            });
        }
        let why = why.report();
        let mut log = why.log.clone();
        if log.is_empty() {
            // A log that cannot be read is what `why` tells of.
            let tail = self.log_tail(LOG_LINES).await.unwrap_or_default();
            log.extend(tail.lines().map(str::to_owned));
        }
        let error = Error::new(
            ErrorKind::Operation,
            format!("no line of its log contains `{text}`"),
        );
        self.info.attribute(error).with(|report| {
            // It was ready before.
            let what = why.what.trim_end_matches(" before the service was ready");
            report.details.push(what.to_owned());
            if why.kind != ErrorKind::Exited {
                report.details.extend(why.details.iter().cloned());
            }
            report.exit_code = why.exit_code;
            report.log = log;
            report.help = match why.kind {
                // A service that was ready ends for what was done to it, or by a fault of its own.
                ErrorKind::Exited => Some(
                    "look in its log for what ended it; where the test ended it, wait for the line before that"
                        .to_owned(),
                ),
                _ => why.help.clone(),
            };
        })
    }
}
