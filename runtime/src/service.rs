//! The handle of a running service.

mod weak;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use crate::client::{Client, Lease};
use crate::copies;
use crate::deadline::Bound;
use crate::logs::LogLines;
use crate::protocol::{Action, ExecOutput, FollowEnd, LogLine, Reply, ServiceInfo};
use crate::visible::visible;
use crate::{Error, ErrorKind, Operation};
pub(crate) use weak::WeakService;

/// How many lines of the log an error shows.
const LOG_LINES: usize = 20;

/// A running service: where it is reached, what it logs, and what can be done to it.
///
/// A handle is cheap to clone. The service lives as its scope says; where nothing else holds it, until the last handle
/// is dropped.
///
/// ```no_run
/// use seatrial::{Composition, Service};
///
/// #[derive(Composition)]
/// struct Shop {
///     #[service(image = "redis:7", port = 6379)]
///     cache: Service,
/// }
///
/// #[seatrial::test]
/// async fn it_answers(shop: Shop) -> Result<(), seatrial::Error> {
///     let pong = shop.cache.exec(["redis-cli", "ping"]).await?;
///     assert_eq!(pong.stdout.trim(), "PONG");
///     println!("reachable at {}", shop.cache.addr());
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Service {
    info: Arc<ServiceInfo>,
    lease: Arc<Lease>,
}

impl Service {
    pub(crate) fn new(info: ServiceInfo, lease: Arc<Lease>) -> Self {
        Self {
            info: Arc::new(info),
            lease,
        }
    }

    pub(crate) fn info(&self) -> &ServiceInfo {
        &self.info
    }

    /// The host its ports are published on: `127.0.0.1`.
    pub fn host(&self) -> &str {
        &self.info.host
    }

    /// The published port for one of its declared ports, given by number or name.
    ///
    /// It stays the same when the service is restarted.
    ///
    /// ```no_run
    /// # fn f(db: seatrial::Service) {
    /// let sql: u16 = db.port(5432);
    /// let metrics: u16 = db.port("metrics");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Where the declaration has no such port.
    #[track_caller]
    pub fn port<'a>(&self, port: impl Into<PortKey<'a>>) -> u16 {
        let key = port.into();
        let declared = self.info.ports.iter().find(|port| match &key.0 {
            Key::Number(number) => port.number == *number,
            Key::Name(name) => port.name.as_deref() == Some(name),
        });
        let published = declared.and_then(|port| {
            self.info
                .published
                .iter()
                .find(|published| published.container == port.number)
        });
        match published {
            Some(published) => published.host,
            None => panic!(
                "service `{}` declares no port {key}; declare it with `port = ..` or `ports(..)`{}",
                self.info.field,
                self.declared_ports()
            ),
        }
    }

    /// Host and published port of its only port.
    ///
    /// # Panics
    ///
    /// Where it declares no port or several.
    #[track_caller]
    pub fn addr(&self) -> SocketAddr {
        let ip = self
            .info
            .host
            .parse()
            .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        SocketAddr::new(ip, self.only_port("addr()"))
    }

    /// A URL at its only port: `url("http", "/orders")` is `http://127.0.0.1:20113/orders`.
    ///
    /// # Panics
    ///
    /// Where it declares no port or several.
    #[track_caller]
    pub fn url(&self, scheme: &str, path: &str) -> String {
        let slash = if path.is_empty() || path.starts_with(['/', '?', '#']) {
            ""
        } else {
            "/"
        };
        format!(
            "{scheme}://{}:{}{slash}{path}",
            self.host(),
            self.only_port("url()")
        )
    }

    #[track_caller]
    fn only_port(&self, call: &str) -> u16 {
        match &self.info.ports[..] {
            [port] => self.port(port.number),
            [] => panic!(
                "{call} needs a port and service `{}` declares none; declare it with `port = ..`",
                self.info.field
            ),
            _ => panic!(
                "{call} needs the only port and service `{}` declares several; choose with `port(..)`{}",
                self.info.field,
                self.declared_ports()
            ),
        }
    }

    fn declared_ports(&self) -> String {
        let ports: Vec<String> = self
            .info
            .ports
            .iter()
            .map(|port| match &port.name {
                Some(name) => format!("{name} = {}", port.number),
                None => port.number.to_string(),
            })
            .collect();
        if ports.is_empty() {
            String::new()
        } else {
            format!(" (declared: {})", ports.join(", "))
        }
    }

    /// The engine's id of its container.
    pub fn id(&self) -> &str {
        &self.info.container
    }

    /// Its address on the network it shares with the services that need it.
    pub fn network_address(&self) -> IpAddr {
        IpAddr::V4(self.info.address)
    }

    /// Everything it has logged so far, standard output and standard error in the order of their arrival. For a line that
    /// it is about to log, [`wait_log`](Self::wait_log).
    ///
    /// Of a log that is longer than 16 MiB, the end: then its first line says how much is missing, such as
    /// `[.. 1048576 bytes before this are cut]`. All of it can be read with [`log_lines`](Self::log_lines). Both have what
    /// the service wrote as it is, with the colours for a terminal that may be in it; what Seatrial shows itself has none.
    pub fn logs(&self) -> Operation<String> {
        self.act(Action::Logs { tail: None }, |reply| match reply {
            Reply::Log(text) => text,
            other => unexpected(other),
        })
    }

    pub(crate) fn log_tail(&self, lines: usize) -> Operation<String> {
        self.act(Action::Logs { tail: Some(lines) }, |reply| match reply {
            Reply::Log(text) => text,
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

    /// Its log line by line, from the first and on as it grows: a [`Stream`](futures_core::Stream), and an iterator
    /// through [`LogLines::wait_next`]. A line of more than 64 KiB is cut, and says so: see [`LogLine`].
    pub fn log_lines(&self) -> LogLines {
        self.follow(FollowEnd::Removed)
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
    pub fn wait_log(&self, text: impl Into<String>) -> Operation<LogLine> {
        let text = text.into();
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
                match service.wait_ready().await {
                    Err(error) if error.kind() != ErrorKind::NotReady => {
                        return Err(service.never_logged(&text, &error).await);
                    }
                    // It runs.
                    _ => lines = service.lines_of_run(),
                }
            }
        });
        logged.within(self.bound())
    }

    /// Its log from the first line until its container stops.
    fn lines_of_run(&self) -> LogLines {
        self.follow(FollowEnd::Stopped)
    }

    fn follow(&self, until: FollowEnd) -> LogLines {
        LogLines::new(self.client(), self.info.instance, until, self.bound())
    }

    /// What bounds the waits for what this handle does.
    fn bound(&self) -> Bound {
        Bound::of_service(self.lease.deadline(), self.info.clone())
    }

    async fn never_logged(&self, text: &str, why: &Error) -> Error {
        let why = why.report();
        let mut log = why.log.clone();
        if log.is_empty() {
            // A log that cannot be read is what `why` tells of.
            let tail = self.log_tail(LOG_LINES).await.unwrap_or_default();
            log.extend(tail.lines().map(str::to_owned));
        }
        Error::new(
            ErrorKind::Operation,
            format!("no line of its log contains `{text}`"),
        )
        .with(|report| {
            report.composition = Some(self.info.composition.clone());
            report.service = Some(self.info.field.clone());
            // It was ready before.
            let what = why.what.trim_end_matches(" before the service was ready");
            report.details.push(what.to_owned());
            if why.kind != ErrorKind::Exited {
                report.details.extend(why.details.iter().cloned());
            }
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

    /// Runs a command in its container, to the end. No shell is involved: for one, run `["sh", "-c", ".."]`.
    ///
    /// A command that fails is no error: look at [`ExecOutput::code`]. Of an output that is longer than 16 MiB the end is
    /// handed out, and says so: see [`ExecOutput`].
    ///
    /// # Errors
    ///
    /// Where the container does not run, or has no such executable.
    pub fn exec<S: Into<String>>(
        &self,
        command: impl IntoIterator<Item = S>,
    ) -> Operation<ExecOutput> {
        let command = command.into_iter().map(Into::into).collect();
        self.act(Action::Exec { command }, |reply| match reply {
            Reply::Exec(output) => output,
            other => unexpected(other),
        })
    }

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
    /// # Errors
    ///
    /// Where they do not hold in time, or its container has ended.
    pub fn wait_ready(&self) -> Operation<()> {
        self.act_done(Action::WaitReady)
    }

    /// Copies a file, directory or link of this machine to the absolute path `to` in its container, as `cp -a from to` would
    /// where `to` is not there yet:
    ///
    /// * Symbolic links are copied as links, wherever they lead, and never followed; `from` itself too. Of files with several
    ///   names (hard links) in the copy, the copies are one file too.
    /// * Modes, and times to the second, are kept; set-user-id and set-group-id bits are not.
    /// * Everything is owned by the user that the container runs as: `user = ".."`, or the image's. Directories on the way to
    ///   `to` that are missing are made, and are root's.
    /// * Sockets, fifos and devices are not copied. The error names each, and everything else is copied.
    /// * What would come into a mount, the source or a tmpfs is refused before anything is copied: an engine would write it
    ///   into this machine's files, or where it is hidden. A volume takes it. Links in the container that lead there are not
    ///   seen.
    ///
    /// The files are read while they are copied, whatever their size, and are not held in memory.
    ///
    /// ```no_run
    /// # use seatrial::Service;
    /// # fn example(db: Service) -> Result<(), seatrial::Error> {
    /// db.copy_in("tests/data", "/srv/data").wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where `from` cannot be read or changes its size meanwhile, `to` cannot be written or is in what is mounted, or something
    /// is of a kind that is not copied. Files that were copied by then stay in the container.
    pub fn copy_in(&self, from: impl AsRef<Path>, to: &str) -> Operation<()> {
        copies::copy_in(&self.lease, &self.info, from.as_ref(), to).within(self.bound())
    }

    /// Copies the file, directory or link `from` of its container to the path `to` on this machine, as `cp -a from to` would
    /// where `to` is not there yet. Missing directories are made.
    ///
    /// * Symbolic links are copied as links, and mean on this machine what they say there. They are never followed: `from`
    ///   itself is copied as a link too, and nothing is written through one, so nothing outside of `to`. To copy what a link
    ///   leads to, name that.
    /// * Modes, and times to the second, are kept; owners, set-user-id and set-group-id bits are not: everything is owned by the
    ///   user who runs the test.
    /// * Fifos and devices are not copied. The error names each, and everything else is copied. Engines leave out sockets within
    ///   a directory, and what is in a tmpfs, without a word.
    /// * Files and links that are at `to` already are replaced, and directories are filled. What is of another kind is an error.
    ///
    /// ```no_run
    /// # use seatrial::Service;
    /// # fn example(app: Service) -> Result<(), seatrial::Error> {
    /// app.copy_out("/var/log/app", "target/app-log").wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where `from` is not there, `to` cannot be written, or something is of a kind that is not copied. A file that is not whole
    /// does not stay; those before it do.
    pub fn copy_out(&self, from: &str, to: impl AsRef<Path>) -> Operation<()> {
        copies::copy_out(&self.lease, self.info.instance, from, to.as_ref()).within(self.bound())
    }

    pub(crate) fn client(&self) -> &'static Client {
        self.lease.client()
    }

    fn call(&self, action: Action) -> Operation<Reply> {
        let caller = self.lease.caller();
        self.client().act(self.info.instance, action, caller)
    }

    fn act<T: 'static>(
        &self,
        action: Action,
        read: impl FnOnce(Reply) -> T + Send + 'static,
    ) -> Operation<T> {
        let call = self.call(action);
        // The service must not be removed while something is being done to it.
        let lease = self.lease.clone();
        let done = Operation::new(async move {
            let reply = call.await?;
            drop(lease);
            Ok(read(reply))
        });
        done.within(self.bound())
    }

    fn act_done(&self, action: Action) -> Operation<()> {
        self.act(action, |_| ())
    }
}

fn unexpected<T>(reply: Reply) -> T {
    unreachable!("the supervisor answers each action with its own reply, not {reply:?}")
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("field", &self.info.field)
            .field("host", &self.info.host)
            .field("published", &self.info.published)
            .field("container", &self.info.container)
            .finish()
    }
}

/// A declared port, by number or by name.
#[derive(Clone, Copy, Debug)]
pub struct PortKey<'a>(Key<'a>);

#[derive(Clone, Copy, Debug)]
enum Key<'a> {
    Number(u16),
    Name(&'a str),
}

impl From<u16> for PortKey<'_> {
    fn from(number: u16) -> Self {
        Self(Key::Number(number))
    }
}

impl<'a> From<&'a str> for PortKey<'a> {
    fn from(name: &'a str) -> Self {
        Self(Key::Name(name))
    }
}

impl fmt::Display for PortKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Key::Number(number) => write!(f, "{number}"),
            Key::Name(name) => write!(f, "`{name}`"),
        }
    }
}
