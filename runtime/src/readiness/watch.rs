//! The state of a check during its attempts, for the report of a wait that fails.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::outcome::Remark;

/// The state of one check during its attempts.
#[derive(Debug)]
pub(super) struct Watch {
    description: String,
    /// The port to which the check connects.
    port: Option<u16>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// When the attempt under way began.
    since: Option<Instant>,
    said: Option<Remark>,
    /// Whether the check is followed, not attempted.
    followed: bool,
    /// Why a followed check may miss something.
    hint: Option<&'static str>,
    /// Whether the port refused the last connection.
    pub(super) unserved: bool,
    /// Whether the check has held often enough.
    pub(super) met: bool,
    /// Whether the check has ended the wait.
    pub(super) decided: bool,
}

impl Watch {
    /// The time after which the report mentions an attempt under way.
    const LONG: Duration = Duration::from_secs(1);

    pub(super) fn new(description: String, port: Option<u16>) -> Self {
        Self {
            description,
            port,
            state: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an attempt begins.
    pub(super) fn begins(&self) {
        self.state().since = Some(Instant::now());
    }

    /// Notes what a followed check has seen, and why it may have missed something.
    pub(super) fn sees(&self, said: String, hint: Option<&'static str>) {
        let mut state = self.state();
        state.followed = true;
        state.said = Some(said.into());
        state.hint = hint;
    }

    /// Notes the result of an attempt: `None` for a success.
    pub(super) fn ends(&self, said: Option<Remark>) {
        let mut state = self.state();
        state.since = None;
        state.said = said;
    }

    /// The port, if it refused the last connection.
    pub(super) fn unserved(&self) -> Option<u16> {
        self.port.filter(|_| self.state().unserved)
    }

    /// The [`report`](Self::report) after the container has ended. The results of attempts are left out, as they are
    /// misleading then.
    pub(super) fn report_at_end(&self) -> String {
        let state = self.state();
        match &state.said {
            Some(remark) if state.followed => format!("{}: {}", self.description, remark.said),
            _ => self.description.clone(),
        }
    }

    /// The next step, if the cause of the last result is known.
    pub(super) fn advice(&self) -> Option<String> {
        self.state().said.as_ref()?.advice.clone()
    }

    /// The check and its last result.
    pub(super) fn report(&self) -> String {
        self.report_in_words(|remark| remark.said.clone())
    }

    /// The [`report`](Self::report) with the next step. It stands alone.
    pub(super) fn report_with_advice(&self) -> String {
        self.report_in_words(Remark::to_string)
    }

    fn report_in_words(&self, words: impl Fn(&Remark) -> String) -> String {
        let state = self.state();
        let hangs = state
            .since
            .map(|since| since.elapsed())
            .filter(|hanging| *hanging >= Self::LONG);
        let description = &self.description;
        let said = state.said.as_ref().map(words);
        if let (Some(said), Some(hint)) = (&said, state.hint) {
            return format!("{description}: {said}; {hint}");
        }
        match (said, hangs) {
            (Some(said), None) => format!("{description}: {said}"),
            (Some(said), Some(_)) => {
                format!("{description}: {said}; the next attempt has not ended")
            }
            (None, Some(_)) => format!("{description}: the attempt has not ended"),
            (None, None) => description.clone(),
        }
    }
}
