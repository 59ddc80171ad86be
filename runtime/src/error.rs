//! The one error that users see.
//!
//! It names the service, the cause and the next step, and carries the log lines that matter. It is data until it is
//! displayed, so that it can cross from the supervisor to a test; [`crate::terminal`] turns it into text.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::images::ImageError;
use crate::terminal;

/// What went wrong, with the service, the cause, the last lines of its log and what to do next.
///
/// Both `Display` and `Debug` write the whole report, so it reads the same from a panic, from `?` in a test that returns
/// a `Result`, and from `eprintln!`.
///
/// ```no_run
/// # use seatrial::{Composition, ErrorKind};
/// # fn show<Shop: Composition>() {
/// match Shop::launch().wait() {
///     Err(error) if error.kind() == ErrorKind::Engine => eprintln!("no engine here: {error}"),
///     Err(error) => panic!("{error}"),
///     Ok(_shop) => {}
/// }
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error(Box<Report>);

/// What an [`Error`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No engine could be reached, or it went away.
    Engine,
    /// `seatrial.toml` or a `SEATRIAL_*` variable is wrong.
    Configuration,
    /// An image could not be had.
    Image,
    /// A container could not be created or started.
    Start,
    /// A container ended before its service was ready.
    Exited,
    /// A service was not ready in time.
    NotReady,
    /// What sets a service up failed.
    Setup,
    /// An operation on a running service failed.
    Operation,
    /// A file or directory of this machine could not be read or written.
    Files,
    /// The time for the test was over, see [`timeout`](macro@crate::test#time-outs).
    TimedOut,
    /// The process was asked to end.
    Interrupted,
}

/// Everything that is known of an error.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) kind: ErrorKind,
    /// The composition whose launch failed.
    pub(crate) composition: Option<String>,
    pub(crate) service: Option<String>,
    /// What happened, a fragment: `cannot start the container`.
    pub(crate) what: String,
    /// Further lines on why.
    pub(crate) details: Vec<String>,
    /// The last lines of the service's log.
    pub(crate) log: Vec<String>,
    /// Services that were not started because of this.
    pub(crate) not_started: Vec<String>,
    /// Other services that failed on their own account, with their cause.
    pub(crate) also: Vec<(String, String)>,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self(Box::new(Report {
            kind,
            composition: None,
            service: None,
            what: what.into(),
            details: Vec::new(),
            log: Vec::new(),
            not_started: Vec::new(),
            also: Vec::new(),
            help: None,
        }))
    }

    /// Changes the report, keeping the builder style short.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Report)) -> Self {
        change(&mut self.0);
        self
    }

    /// Takes out whose launch failed.
    pub(crate) fn take_composition(&mut self) -> Option<String> {
        self.0.composition.take()
    }

    pub(crate) fn report(&self) -> &Report {
        &self.0
    }

    /// What the error is about.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The service it is about, by its field's name, where it is about one.
    pub fn service(&self) -> Option<&str> {
        self.0.service.as_deref()
    }

    /// The last lines of that service's log, oldest first; empty where there are none.
    pub fn log_lines(&self) -> &[String] {
        &self.0.log
    }
}

impl From<ImageError> for Error {
    fn from(error: ImageError) -> Self {
        let tried = error
            .tried
            .into_iter()
            .map(|(who, said)| format!("{who}: {said}"));
        Self::new(
            ErrorKind::Image,
            format!("cannot get the image `{}`", error.image),
        )
        .with(|report| {
            report.details = tried.collect();
            report.help = Some(error.advice);
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&terminal::error(&self.0))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
