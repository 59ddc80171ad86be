//! The result of one attempt at a check.

use std::fmt;

/// The result of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Holds,
    /// It holds, and the container has just been seen to run: its process has answered, or the engine says so.
    HoldsAndRuns,
    NotYet(Remark),
    /// The port refuses connections.
    Unserved(Remark),
    Never(String),
    Panicked(String),
}

/// Why an attempt was no success, and what to do about it if the cause is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) said: String,
    pub(super) advice: Option<String>,
}

impl Remark {
    pub(super) fn with_advice(said: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            said: said.into(),
            advice: Some(advice.into()),
        }
    }
}

impl From<String> for Remark {
    fn from(said: String) -> Self {
        Self { said, advice: None }
    }
}

/// Both in one line.
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)?;
        match &self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}
