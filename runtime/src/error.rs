//! The one error that users see.
//!
//! It names the service, the cause and the next step, and carries the log lines that matter. It is data until it is
//! displayed, so that it can cross from the supervisor to a test: as its [`Report`], for the error itself is public and not
//! serializable. The report turns it into text.

mod kind;
mod report;

use std::fmt;

pub use self::kind::ErrorKind;
pub(crate) use self::report::Report;

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

    /// Changes the report, keeping the builder style short.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Report)) -> Self {
        change(&mut self.0);
        self
    }

    /// The error that a message has carried.
    pub(crate) fn of_report(report: Report) -> Self {
        Self(Box::new(report))
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

    /// The composition that the service is of, or whose launch failed, by its type's name; of services on a test's parameters,
    /// the test's. Nothing where the error is about no composition in particular.
    pub fn composition(&self) -> Option<&str> {
        self.0.composition.as_deref()
    }

    /// The exit code of what has ended, where that is what went wrong and the code is known: of the service's container
    /// ([`Exited`](ErrorKind::Exited)), or of a command that sets it up ([`Setup`](ErrorKind::Setup)).
    ///
    /// A command that a test runs with [`exec`](crate::Service::exec) and that fails is no error; its code is in
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

    /// The last lines of that service's log, oldest first; empty where there are none.
    pub fn log_lines(&self) -> &[String] {
        &self.0.log
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
