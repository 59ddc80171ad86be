//! Everything that is known of an error, and its text.
//!
//! It is data until it is displayed. Text from outside loses its control sequences here.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::kind::{ErrorKind, ErrorKindForm};
use crate::visible::harmless;
use crate::wording::names;

/// Everything that is known of an error.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    #[serde(with = "ErrorKindForm")]
    pub(crate) kind: ErrorKind,
    /// The composition whose launch failed, or that has the service.
    pub(crate) composition: Option<String>,
    pub(crate) service: Option<String>,
    /// What happened, a fragment: `cannot start the container`.
    pub(crate) what: String,
    /// Further lines on why.
    pub(crate) details: Vec<String>,
    /// The exit code of the service's container, or of a command.
    pub(crate) exit_code: Option<i64>,
    /// The last lines of the service's log.
    pub(crate) log: Vec<String>,
    /// Services that were not started because of this.
    pub(crate) not_started: Vec<String>,
    /// Other services that failed for a cause of their own, with that cause.
    pub(crate) also: Vec<(String, String)>,
    /// What to do.
    pub(crate) help: Option<String>,
}

/// Several lines: the service, what happened and why, the end of the log, the services that were not started, what to do, and the
/// other failures.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.composition, &self.service) {
            (Some(composition), Some(service)) => {
                write!(f, "{} `{service}` of `{composition}`: ", self.noun())?;
            }
            (Some(composition), None) => write!(f, "`{composition}`: ")?,
            (None, Some(service)) => write!(f, "{} `{service}`: ", self.noun())?,
            (None, None) => {}
        }
        f.write_str(&harmless(&self.what))?;
        for detail in &self.details {
            let detail = harmless(detail.trim_end()).replace('\n', "\n  ");
            write!(f, "\n  {detail}")?;
        }
        if !self.log.is_empty() {
            f.write_str("\n  the last lines of its log:")?;
            for line in &self.log {
                write!(f, "\n    | {}", harmless(line))?;
            }
        }
        if !self.not_started.is_empty() {
            let not_started = names(&self.not_started);
            write!(f, "\n  not started because of it: {not_started}")?;
        }
        // Before the other errors, which have advice of their own.
        if let Some(help) = &self.help {
            let help = harmless(help).replace('\n', "\n        ");
            write!(f, "\n  help: {help}")?;
        }
        for (service, what) in &self.also {
            let what = harmless(what);
            write!(f, "\n  failed too: service `{service}`: {what}")?;
        }
        Ok(())
    }
}

impl Report {
    fn noun(&self) -> &'static str {
        match self.kind {
            ErrorKind::Job => "job",
            _ => "service",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn an_error_tells_service_cause_log_and_next_step() {
        let error =
            Error::new(ErrorKind::Exited, "the container exited with code 1").with(|report| {
                report.composition = Some("Shop".to_owned());
                report.service = Some("app".to_owned());
                report.details = vec!["waited for: tcp port 80".to_owned()];
                report.log = vec!["cannot open /etc/app".to_owned()];
                report.not_started = vec!["web".to_owned(), "proxy".to_owned()];
                report.also = vec![("cache".to_owned(), "no such image".to_owned())];
                report.help = Some("put it there".to_owned());
            });
        assert_eq!(
            error.to_string(),
            "service `app` of `Shop`: the container exited with code 1\n\
             \x20 waited for: tcp port 80\n\
             \x20 the last lines of its log:\n\
             \x20   | cannot open /etc/app\n\
             \x20 not started because of it: `web`, `proxy`\n\
             \x20 help: put it there\n\
             \x20 failed too: service `cache`: no such image"
        );
    }

    #[test]
    fn a_report_shows_no_control_sequences_from_outside() {
        const CLEAR: &str = "\u{1b}[2J\u{1b}[31mtext\u{1b}[0m";
        let text = || CLEAR.to_owned();
        let error = Error::new(ErrorKind::Exited, text()).with(|report| {
            report.details = vec![text()];
            report.log = vec![text(), "5%\r10%".to_owned()];
            report.also = vec![("cache".to_owned(), text())];
            report.help = Some(text());
        });
        assert_eq!(
            error.to_string(),
            "text\n\
             \x20 text\n\
             \x20 the last lines of its log:\n\
             \x20   | text\n\
             \x20   | 10%\n\
             \x20 help: text\n\
             \x20 failed too: service `cache`: text"
        );
    }
}
