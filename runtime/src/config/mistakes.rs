//! The mistakes in a configuration, each with its place.

use std::fmt;
use std::path::PathBuf;

/// Everything that is wrong in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// Never empty.
    pub(super) mistakes: Vec<Mistake>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) place: Place,
    pub(super) message: String,
}

/// The place of a value. Places are ordered: the file from its top, then the variables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In the file. Line 0 means the file itself.
    File {
        path: PathBuf,
        line: usize,
        column: usize,
    },
    /// In the environment.
    Variable(String),
}

/// Collects mistakes, so that one run reports all of them.
#[derive(Default)]
pub(super) struct Mistakes(pub(super) Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, place: &Place, message: impl fmt::Display) {
        self.0.push(Mistake {
            place: place.clone(),
            message: message.to_string(),
        });
    }

    /// Returns the value of a parser that succeeded, and notes the mistake of one that failed.
    pub(super) fn keep<T, E: fmt::Display>(
        &mut self,
        place: &Place,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(place, error)).ok()
    }

    /// Whether a mistake was noted on this line of the file.
    pub(super) fn on_line(&self, wanted: usize) -> bool {
        self.0
            .iter()
            .any(|mistake| matches!(mistake.place, Place::File { line, .. } if line == wanted))
    }

    pub(super) fn none_or<T>(mut self, value: T) -> Result<T, ConfigError> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by(|a, b| a.place.cmp(&b.place));
        Err(ConfigError { mistakes: self.0 })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: 0, .. } => write!(f, "{}", path.display()),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => f.write_str("a mistake in the configuration:")?,
            count => write!(f, "{count} mistakes in the configuration:")?,
        }
        for Mistake { place, message } in &self.mistakes {
            write!(f, "\n  {place}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
