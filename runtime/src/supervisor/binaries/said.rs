//! What cargo says while it builds: shown to the user if there is work to do, and kept for the error.

use std::collections::VecDeque;

use crate::images::{ProgressTask, Reporter};
use crate::shown::Work;

/// How many lines are kept from the first error on, and how many at the end.
const FIRST_LINES: usize = 30;
const LAST_LINES: usize = 10;

/// The words of cargo at whose first one there is work to do. A binary that is up to date is built again without a word about it.
const WORK: [&str; 7] = [
    "Blocking",
    "Compiling",
    "Downloaded",
    "Downloading",
    "Locking",
    "Updating",
    "error",
];

/// The lines that cargo has written so far.
#[derive(Default)]
pub(super) struct Said {
    name: String,
    /// What is shown of it, once there is work to do.
    task: Option<ProgressTask>,
    /// From the first error on.
    first: Vec<String>,
    last: VecDeque<String>,
    /// Whether lines between the two are missing.
    is_cut: bool,
}

impl Said {
    /// Nothing yet, about the binary of this name.
    pub(super) fn of(name: String) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// Takes a line.
    pub(super) fn line(&mut self, line: &str) {
        let line = line.trim_end();
        let word = line.trim_start();
        if self.task.is_none() && WORK.iter().any(|work| word.starts_with(work)) {
            self.task = Some(Reporter::standard().begin(Work::Compile, &self.name));
        }
        if let Some(task) = &self.task {
            task.line(line);
        }
        self.keep(line);
    }

    fn keep(&mut self, line: &str) {
        let is_error = !self.first.is_empty() || line.starts_with("error");
        if is_error && self.first.len() < FIRST_LINES {
            // What came before the error does not belong to it.
            self.last.clear();
            self.first.push(line.to_owned());
            return;
        }
        if self.last.len() == LAST_LINES {
            self.last.pop_front();
            self.is_cut |= is_error;
        }
        self.last.push_back(line.to_owned());
    }

    /// The lines for an error: the beginning of the first error, and the end.
    pub(super) fn lines(&self) -> Vec<String> {
        let cut = self.is_cut.then(|| "[..]".to_owned());
        let first = self.first.iter().cloned();
        let lines = first.chain(cut).chain(self.last.iter().cloned());
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// The binary is built.
    pub(super) fn done(&self) {
        if let Some(task) = &self.task {
            task.done();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(lines: &[String]) -> Vec<String> {
        let mut said = Said::of("server".to_owned());
        for line in lines {
            said.keep(line);
        }
        said.lines()
    }

    fn numbered(word: &str, count: usize) -> Vec<String> {
        (1..=count)
            .map(|number| format!("{word} {number}"))
            .collect()
    }

    #[test]
    fn an_error_is_kept_from_its_beginning_and_with_its_end() {
        let before = numbered("warning", 100);
        let short = numbered("error", 3);
        assert_eq!(kept(&[before.clone(), short.clone()].concat()), short);
        let long = numbered("error", 100);
        let mut expected = long[..FIRST_LINES].to_vec();
        expected.push("[..]".to_owned());
        expected.extend_from_slice(&long[100 - LAST_LINES..]);
        assert_eq!(kept(&[before.clone(), long].concat()), expected);
        assert_eq!(kept(&before), before[100 - LAST_LINES..]);
    }
}
