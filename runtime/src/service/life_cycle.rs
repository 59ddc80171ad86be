//! What moves a service through its states, and waiting until it is ready again.

use super::{Service, unexpected};
use crate::Operation;
use crate::protocol::{Action, Reply};

impl Service {
    /// Asks it to end, as `docker stop` does: its stop signal, and after 10 seconds `SIGKILL`.
    ///
    /// # Errors
    ///
    /// Where the engine refuses.
    pub fn stop(&self) -> Operation<()> {
        self.act_done(Action::Stop)
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

    /// How and when it has ended, in words; nothing where it runs.
    pub(crate) fn ended(&self) -> Operation<Option<String>> {
        self.act(Action::Ended, |reply| match reply {
            Reply::Ended(words) => words,
            other => unexpected(other),
        })
    }
}
