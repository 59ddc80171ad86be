//! What moves a service through its states, and waiting until it is ready again.

use std::time::Duration;

use super::handle::{Service, unexpected};
use crate::protocol::{Action, Reply};
use crate::{Operation, ServiceStatus};

impl Service {
    /// Asks it to end, as `docker stop` does: its stop signal, and after 10 seconds `SIGKILL`. To give it more time or less,
    /// [`stop_within`](Self::stop_within).
    ///
    /// # Errors
    ///
    /// Where the engine refuses.
    pub fn stop(&self) -> Operation<()> {
        self.act_done(Action::Stop { patience: None })
    }

    /// Asks it to end with its stop signal, and ends it with `SIGKILL` once it has not ended within that time.
    ///
    /// Engines count whole seconds, so a part of one is rounded up: 1.2 seconds are 2. Zero kills it as soon as the signal is
    /// sent. It is done as soon as the service has ended.
    ///
    /// Until then, [`kill`](Self::kill) ends the service at once, and what only looks is answered as always:
    /// [`status`](Self::status), the log, commands and copies out of the container. What else changes the service waits.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn asynchronous(db: seatrial::Service) -> Result<(), seatrial::Error> {
    /// // It writes down everything that it has in memory.
    /// db.stop_within(Duration::from_secs(60)).await?;
    /// # Ok(()) }
    /// # fn plain(db: seatrial::Service) -> Result<(), seatrial::Error> {
    /// db.stop_within(Duration::from_secs(60)).wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where the engine refuses.
    pub fn stop_within(&self, patience: Duration) -> Operation<()> {
        self.act_done(Action::Stop {
            patience: Some(patience),
        })
    }

    /// Starts it again after [`stop`](Self::stop) or [`kill`](Self::kill), and waits until it is ready. Where it runs, nothing
    /// is started, and it is waited for all the same.
    ///
    /// What its readiness checks look for in its log must be logged anew, as often as they say.
    ///
    /// # Errors
    ///
    /// Where it does not start or is not ready in time.
    pub fn start(&self) -> Operation<()> {
        self.act_done(Action::Start)
    }

    /// Stops it, starts it, and waits until it is ready. Addresses and ports stay the same.
    ///
    /// What its readiness checks look for in its log must be logged anew, as often as they say.
    ///
    /// # Errors
    ///
    /// Where it does not start or is not ready in time.
    pub fn restart(&self) -> Operation<()> {
        self.act_done(Action::Restart)
    }

    /// Ends it at once, with `SIGKILL`.
    ///
    /// # Errors
    ///
    /// Where it does not run.
    pub fn kill(&self) -> Operation<()> {
        self.act_done(Action::Kill { signal: None })
    }

    /// Sends a signal to its main process: `signal("SIGHUP")`.
    ///
    /// # Errors
    ///
    /// Where it does not run, or there is no such signal.
    pub fn signal(&self, signal: impl Into<String>) -> Operation<()> {
        self.act_done(Action::Kill {
            signal: Some(signal.into()),
        })
    }

    /// Freezes its processes: connections stay open, nothing answers.
    ///
    /// # Errors
    ///
    /// Where it does not run.
    pub fn pause(&self) -> Operation<()> {
        self.act_done(Action::Pause)
    }

    /// Thaws it.
    ///
    /// # Errors
    ///
    /// Where it is not paused.
    pub fn unpause(&self) -> Operation<()> {
        self.act_done(Action::Unpause)
    }

    /// Cuts it off the network: what talks to it, from the test or from other services, hangs or is refused.
    ///
    /// # Errors
    ///
    /// Where it is cut off already.
    pub fn disconnect(&self) -> Operation<()> {
        self.act_done(Action::Disconnect)
    }

    /// Puts it back on the network, with the address it had.
    ///
    /// # Errors
    ///
    /// Where it is on the network already.
    pub fn reconnect(&self) -> Operation<()> {
        self.act_done(Action::Reconnect)
    }

    /// Waits until its readiness checks hold, after a test did something to it.
    ///
    /// ```no_run
    /// # async fn asynchronous(db: seatrial::Service) -> Result<(), seatrial::Error> {
    /// db.exec(["pg_ctl", "reload"]).await?;
    /// db.ready().await?;
    /// # Ok(()) }
    /// # fn plain(db: seatrial::Service) -> Result<(), seatrial::Error> {
    /// db.ready().wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where they do not hold in time, or its container has ended.
    pub fn ready(&self) -> Operation<()> {
        self.act_done(Action::WaitReady)
    }

    /// Tells whether it runs, and how it has ended. It is answered at once, also while the service is started, stopped or waited
    /// for.
    ///
    /// ```no_run
    /// # async fn asynchronous(app: seatrial::Service) -> Result<(), seatrial::Error> {
    /// let status = app.status().await?;
    /// assert!(status.is_running(), "it is {status}");
    /// # Ok(()) }
    /// # fn plain(app: seatrial::Service) -> Result<(), seatrial::Error> {
    /// app.signal("SIGTERM").wait()?;
    /// while app.status().wait()?.is_running() {}
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where the engine does not say: it does not answer, or the container was removed by others.
    pub fn status(&self) -> Operation<ServiceStatus> {
        self.act(Action::Status, |reply| match reply {
            Reply::Status(status) => status.into(),
            other => unexpected(other),
        })
    }

    /// How and when it has ended, in words; nothing where it runs.
    pub(crate) fn ended(&self) -> Operation<Option<String>> {
        self.act(Action::Ended, |reply| match reply {
            Reply::Ended(words) => words,
            other => unexpected(other),
        })
    }
}
