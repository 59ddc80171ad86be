//! What every diagnosis comes to.

use crate::error::Report;

/// A cause, and what to do about it.
#[derive(Debug)]
pub(in crate::supervisor) struct Finding {
    pub(super) cause: String,
    /// Nothing where the cause says all there is to say.
    pub(super) next_step: Option<String>,
}

impl Finding {
    pub(super) fn new(cause: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            next_step: Some(next_step.into()),
        }
    }

    /// Adds the cause to a report, and the next step in place of a more general one.
    pub(super) fn attach(self, report: &mut Report) {
        report.details.push(self.cause);
        report.help = self.next_step.or(report.help.take());
    }
}
