//! What an instance is doing until it is ready, for whoever waits for it no longer and wants to know why.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Set by the instance, read by the launches that wait for it.
#[derive(Debug, Default)]
pub(in crate::supervisor) struct Doing(Mutex<Stage>);

#[derive(Default)]
enum Stage {
    #[default]
    Nothing,
    Step(String),
    /// What it waits for, as it is seen now: one text for each check.
    Checks(Box<dyn Fn() -> Vec<String> + Send>),
}

impl Doing {
    /// It does this, in words that fit behind the service's name.
    pub(super) fn is(&self, words: impl Into<String>) {
        self.set(Stage::Step(words.into()));
    }

    /// It waits until these hold.
    pub(super) fn checks(&self, report: impl Fn() -> Vec<String> + Send + 'static) {
        self.set(Stage::Checks(Box::new(report)));
    }

    fn set(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }
}

impl fmt::Display for Doing {
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
