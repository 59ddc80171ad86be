//! `{$NAME}` and `{$NAME:-default}`: a variable of the test process's environment.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::secret::{HIDDEN, is_secret_name};

/// A variable of the environment in which the tests are started, read when a test asks for its services.
///
/// ```
/// use seatrial_model::placeholder::{RawTemplate, Names};
///
/// let names = Names { services: &[], own: 0, own_allowed: false, source_mounted: false };
/// let text = RawTemplate::parse("level={$RUST_LOG:-info}").unwrap().resolve(names).unwrap();
/// let variable = text.variables().next().unwrap();
/// assert_eq!(variable.name(), "RUST_LOG");
/// assert_eq!(variable.default(), Some("info"));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    name: String,
    default: Option<String>,
    /// `None` until it is read.
    value: Option<String>,
}

impl Variable {
    /// Parses the text between `{$` and `}`; `None` if it is not a variable.
    pub(super) fn parse(inside: &str) -> Option<Self> {
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (inside, None),
        };
        let name = name.trim().to_owned();
        is_variable_name(&name).then_some(Self {
            name,
            default,
            value: None,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value if the environment variable is unset or empty.
    pub fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Its value; `None` until it is read.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Sets its value from the environment, as a shell does: empty counts as unset if there is a default. Returns whether it
    /// has a value.
    pub(crate) fn fill(&mut self, set: Option<String>) -> bool {
        self.value = match (&self.default, set) {
            (Some(default), set) => set
                .filter(|value| !value.is_empty())
                .or_else(|| Some(default.clone())),
            (None, set) => set,
        };
        self.value.is_some()
    }

    /// The text to print, without a secret's value.
    pub(crate) fn shown(&self) -> String {
        if is_secret_name(&self.name) && (self.value.is_some() || self.default.is_some()) {
            return HIDDEN.to_owned();
        }
        match &self.value {
            Some(value) => value.clone(),
            None => self.to_string(),
        }
    }
}

/// As it is written: `{$NAME:-default}`.
impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.default {
            Some(default) => write!(f, "{{${}:-{default}}}", self.name),
            None => write!(f, "{{${}}}", self.name),
        }
    }
}

/// Hides the value if the name suggests a secret.
impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variable({}, {:?})", self.name, self.shown())
    }
}

/// Whether a shell accepts the name.
pub(super) fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
