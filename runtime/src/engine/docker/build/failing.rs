//! The step that made a build fail: its last lines become part of the error.

use std::collections::VecDeque;

use crate::engine::error::EngineError;

/// The number of lines of a failing step in the error.
const FAILING_LINES: usize = 20;

/// The last lines of a step.
#[derive(Debug, Default)]
pub(super) struct LastLines(VecDeque<String>);

impl LastLines {
    pub(super) fn push(&mut self, line: &str) {
        if self.0.len() == FAILING_LINES {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds the name of the step and the lines to an error.
    pub(super) fn attach_to(&self, name: Option<&str>, error: &mut EngineError) {
        if let Some(name) = name {
            error.message = format!("{name}: {}", error.message);
        }
        for line in &self.0 {
            error.message.push_str("\n  ");
            error.message.push_str(line);
        }
    }
}
