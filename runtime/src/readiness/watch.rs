//! What is known of a check from outside while it is attempted: for the report of a wait that ends without it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What is known of one check from outside while it is attempted.
#[derive(Debug)]
pub(super) struct Watch {
    description: String,
    /// The port that it connects to.
    port: Option<u16>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// When the attempt that has not ended began.
    since: Option<Instant>,
    said: Option<String>,
    /// It is followed rather than attempted.
    followed: bool,
    /// Why it may not be seen, as long as it is followed.
    hint: Option<&'static str>,
    /// Its port refused the last connection.
    pub(super) unserved: bool,
    /// It has held as often as it must.
    pub(super) met: bool,
    /// It has ended the wait.
    pub(super) decided: bool,
}

impl Watch {
    /// From here on an attempt that has not ended is worth telling of.
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

    /// An attempt begins.
    pub(super) fn begins(&self) {
        self.state().since = Some(Instant::now());
    }

    /// What is seen of something that is followed rather than attempted, and why there may be more of it than is seen.
    pub(super) fn sees(&self, said: String, hint: Option<&'static str>) {
        let mut state = self.state();
        state.followed = true;
        state.said = Some(said);
        state.hint = hint;
    }

    /// An attempt has ended; `None` for a success.
    pub(super) fn ends(&self, said: Option<String>) {
        let mut state = self.state();
        state.since = None;
        state.said = said;
    }

    /// Its port, where that refused the last connection.
    pub(super) fn unserved(&self) -> Option<u16> {
        self.port.filter(|_| self.state().unserved)
    }

    /// What [`report`](Self::report) says where the container has ended: what attempts saw of that points elsewhere.
    pub(super) fn report_at_end(&self) -> String {
        let state = self.state();
        match &state.said {
            Some(said) if state.followed => format!("{}: {said}", self.description),
            _ => self.description.clone(),
        }
    }

    /// The check and what it last saw, in words.
    pub(super) fn report(&self) -> String {
        let state = self.state();
        let hangs = state
            .since
            .map(|since| since.elapsed())
            .filter(|hanging| *hanging >= Self::LONG);
        let description = &self.description;
        if let (Some(said), Some(hint)) = (&state.said, state.hint) {
            return format!("{description}: {said}; {hint}");
        }
        match (&state.said, hangs) {
            (Some(said), None) => format!("{description}: {said}"),
            (Some(said), Some(_)) => {
                format!("{description}: {said}; the next attempt has not ended")
            }
            (None, Some(_)) => format!("{description}: the attempt has not ended"),
            (None, None) => description.clone(),
        }
    }
}
