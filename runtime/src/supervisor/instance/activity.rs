//! The activity of an instance until it is ready, for launches that gave up waiting and report why.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The activity. The instance sets it, and the launches that wait for the instance read it.
#[derive(Debug, Default)]
pub(in crate::supervisor) struct Activity(Mutex<Stage>);

#[derive(Default)]
enum Stage {
    #[default]
    Nothing,
    Step(String),
    /// The instance waits for checks, with the current text of each check.
    Checks(Box<dyn Fn() -> Vec<String> + Send>),
}

impl Activity {
    /// Sets a step, in words that fit behind the service's name.
    pub(super) fn set_step(&self, words: impl Into<String>) {
        self.set(Stage::Step(words.into()));
    }

    /// Sets checks that the instance waits for.
    pub(super) fn set_checks(&self, report: impl Fn() -> Vec<String> + Send + 'static) {
        self.set(Stage::Checks(Box::new(report)));
    }

    fn set(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Stage::Nothing => f.write_str("was about to begin"),
            Stage::Step(words) => f.write_str(words),
            Stage::Checks(report) => write!(f, "waited for: {}", report().join("; ")),
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}
