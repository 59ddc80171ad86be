//! The result of every diagnosis.

use crate::error::Report;

/// A cause and the next step.
#[derive(Debug)]
pub(in crate::supervisor) struct Finding {
    pub(super) cause: String,
    /// `None` if the cause is enough.
    pub(super) next_step: Option<String>,
}

impl Finding {
    pub(super) fn new(cause: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            next_step: Some(next_step.into()),
        }
    }

    /// Adds the cause to a report. The next step replaces a more general one.
    pub(super) fn attach(self, report: &mut Report) {
        report.details.push(self.cause);
        report.help = self.next_step.or(report.help.take());
    }
}
