//! Starting, stopping and disturbing a service, its status, and waiting until it is ready.

use std::time::Duration;

use super::handle::{Service, unexpected};
use crate::protocol::{Action, Reply};
use crate::{Operation, ServiceStatus};

impl Service {
    /// Waits until the service is ready, on behalf of another operation.
    pub(super) fn ready_again(&self) -> Operation<()> {
        self.act_within(self.bound(), Action::WaitReady, |_| ())
    }

    /// Stops the service, as `docker stop` does: it sends the stop signal, and after 10 seconds `SIGKILL`.
    /// [`stop_within`](Self::stop_within) allows more time or less.
    ///
    /// # Errors
    ///
    /// The engine refuses.
    #[track_caller]
    pub fn stop(&self) -> Operation<()> {
        self.act_done("stop()", Action::Stop { grace_period: None })
    }

    /// Stops the service: sends its stop signal, and `SIGKILL` if it has not exited within `grace_period`.
    ///
    /// Engines count whole seconds, so `grace_period` is rounded up: 1.2 seconds become 2. Zero kills the service right after the
    /// signal. The operation is done as soon as the service has exited.
    ///
    /// Meanwhile [`kill`](Self::kill) and [`signal`](Self::signal) take effect at once, and [`status`](Self::status), the log, commands and
    /// copies out of the container are answered. Other operations wait until the service has stopped.
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
    /// The engine refuses.
    #[track_caller]
    pub fn stop_within(&self, grace_period: Duration) -> Operation<()> {
        self.act_done(
            "stop_within(..)",
            Action::Stop {
                grace_period: Some(grace_period),
            },
        )
    }

    /// Starts the service after [`stop`](Self::stop) or [`kill`](Self::kill), and waits until it is ready. If it runs already, this only
    /// waits until it is ready.
    ///
    /// A readiness check on the log looks only at lines that are logged after the start.
    ///
    /// # Errors
    ///
    /// The service does not start, or is not ready in time.
    #[track_caller]
    pub fn start(&self) -> Operation<()> {
        self.act_done("start()", Action::Start)
    }

    /// Stops the service, starts it, and waits until it is ready. Addresses and ports stay the same.
    ///
    /// A readiness check on the log looks only at lines that are logged after the start.
    ///
    /// # Errors
    ///
    /// The service does not start, or is not ready in time.
    #[track_caller]
    pub fn restart(&self) -> Operation<()> {
        self.act_done("restart()", Action::Restart)
    }

    /// Kills the service with `SIGKILL`.
    ///
    /// # Errors
    ///
    /// The service does not run.
    #[track_caller]
    pub fn kill(&self) -> Operation<()> {
        self.act_done("kill()", Action::Kill { signal: None })
    }

    /// Sends a signal to the service's main process: `signal("SIGHUP")`.
    ///
    /// # Errors
    ///
    /// The service does not run, or the signal does not exist.
    #[track_caller]
    pub fn signal(&self, signal: impl Into<String>) -> Operation<()> {
        let signal = signal.into();
        let call = format!("signal({signal:?})");
        let action = Action::Kill {
            signal: Some(signal),
        };
        self.act_done(&call, action)
    }

    /// Freezes the service's processes: connections stay open, and nothing answers.
    ///
    /// # Errors
    ///
    /// The service does not run.
    #[track_caller]
    pub fn pause(&self) -> Operation<()> {
        self.act_done("pause()", Action::Pause)
    }

    /// Lets the processes of a paused service continue.
    ///
    /// # Errors
    ///
    /// The service is not paused.
    #[track_caller]
    pub fn unpause(&self) -> Operation<()> {
        self.act_done("unpause()", Action::Unpause)
    }

    /// Disconnects the service from the network. Connections to it, from the test and from other services, hang or are refused.
    ///
    /// # Errors
    ///
    /// The service is disconnected already.
    #[track_caller]
    pub fn disconnect(&self) -> Operation<()> {
        self.act_done("disconnect()", Action::Disconnect)
    }

    /// Connects the service to the network again, with the address that it had.
    ///
    /// # Errors
    ///
    /// The service is connected already.
    #[track_caller]
    pub fn reconnect(&self) -> Operation<()> {
        self.act_done("reconnect()", Action::Reconnect)
    }

    /// Waits until the service's readiness checks pass, for instance after a test did something to it.
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
    /// The checks do not pass in time, or the container has exited.
    #[track_caller]
    pub fn ready(&self) -> Operation<()> {
        self.act_done("ready()", Action::WaitReady)
    }

    /// Returns whether the service runs, and how it has exited. The answer comes at once, also while the service is being started,
    /// stopped or waited for.
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
    /// The engine does not answer, or somebody else removed the container.
    #[track_caller]
    pub fn status(&self) -> Operation<ServiceStatus> {
        self.act("status()", Action::Status, |reply| match reply {
            Reply::Status(status) => status.into(),
            other => unexpected(other),
        })
    }

    /// How and when it has ended, in words; nothing where it runs.
    pub(crate) fn ended(&self) -> Operation<Option<String>> {
        self.act_within(self.bound(), Action::Ended, |reply| match reply {
            Reply::Ended(words) => words,
            other => unexpected(other),
        })
    }
}
