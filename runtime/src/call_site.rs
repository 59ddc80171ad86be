//! A call of a handle's method: what the user wrote, and where. Errors and time-outs name it.

use std::fmt;
use std::panic::Location;

use crate::Error;

/// A call of a handle's method in the user's code.
#[derive(Clone, Debug)]
pub(crate) struct CallSite {
    /// As it is written: `stop()`.
    call: String,
    place: &'static Location<'static>,
}

impl CallSite {
    /// The call of the method that called this. All methods between are `#[track_caller]`.
    #[track_caller]
    pub(crate) fn of(call: impl Into<String>) -> Self {
        Self {
            call: call.into(),
            place: Location::caller(),
        }
    }

    pub(crate) fn call(&self) -> &str {
        &self.call
    }

    /// Adds the place to an error of the call.
    pub(crate) fn locate(&self, error: Error) -> Error {
        error.with(|report| report.details.push(format!("at {self}")))
    }
}

/// The place: `tests/orders.rs:62`.
impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.place.file(), self.place.line())
    }
}
