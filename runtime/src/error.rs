//! The one error that users see.
//!
//! It names the service, the cause and the next step, and carries the last lines of the log. It is data until it is
//! displayed, so the supervisor can send it to a test. What is sent is the [`Report`]: the error itself is public, so it is
//! not serializable. The report turns it into text.

pub(crate) mod displayed;
mod kind;
mod report;

use std::fmt;

pub use self::kind::ErrorKind;
pub(crate) use self::report::Report;

/// What went wrong, with the service, the cause, the last lines of the service's log, and what to do next.
///
/// `Display` and `Debug` both write the full report. So it reads the same in a panic, in a test that returns a `Result`, and
/// from `eprintln!`.
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
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Report>);

impl Error {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self(Box::new(Report {
            kind,
            composition: None,
            service: None,
            what: what.into(),
            details: Vec::new(),
            exit_code: None,
            log: Vec::new(),
            not_started: Vec::new(),
            also: Vec::new(),
            help: None,
        }))
    }

    /// Changes the report, in builder style.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Report)) -> Self {
        change(&mut self.0);
        self
    }

    /// The error of a report that a message carried.
    pub(crate) fn of_report(report: Report) -> Self {
        Self(Box::new(report))
    }

    /// Takes out the composition whose launch failed.
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

    /// The service that the error is about, by its field's name. `None` if it is not about one service.
    pub fn service(&self) -> Option<&str> {
        self.0.service.as_deref()
    }

    /// The composition of the service, or the one whose launch failed, by its type's name. For services on a test's parameters
    /// it is the test's name. `None` if the error is not about one composition.
    pub fn composition(&self) -> Option<&str> {
        self.0.composition.as_deref()
    }

    /// The exit code of the service's container ([`Exited`](ErrorKind::Exited)), of the job ([`Job`](ErrorKind::Job)), or of the
    /// command that sets the service up ([`Setup`](ErrorKind::Setup)). `None` for other errors, and if the code is not known.
    ///
    /// A command that a test runs with [`exec`](crate::Service::exec) does not cause an error when it fails. Its code is in
    /// [`ExecOutput`](crate::ExecOutput).
    ///
    /// ```no_run
    /// # use seatrial::{Composition, ErrorKind};
    /// # fn refuses_to_start<Shop: Composition>() {
    /// let error = Shop::launch().wait().map(drop).expect_err("its configuration is wrong");
    /// assert_eq!(error.kind(), ErrorKind::Exited);
    /// assert_eq!(error.service(), Some("app"));
    /// assert_eq!(error.exit_code(), Some(78));
    /// assert!(error.log_lines().iter().any(|line| line.contains("no such key")));
    /// # }
    /// ```
    pub fn exit_code(&self) -> Option<i64> {
        self.0.exit_code
    }

    /// The last lines of the service's log, oldest first. Empty if the error has none.
    pub fn log_lines(&self) -> &[String] {
        &self.0.log
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        displayed::note(&self.0, f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
