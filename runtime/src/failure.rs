//! The text of the error of a user's function, of any type.
//!
//! Generated code calls one method, and the compiler picks the first implementation that the type allows.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Display;

use crate::wording;

/// The error of a user's function, of any type. `(&&Failure::new(error)).failure_text()` is its text: with its causes if it is an
/// error or converts into one, and otherwise by [`Display`].
pub struct Failure<E>(Cell<Option<E>>);

impl<E> std::fmt::Debug for Failure<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Failure(..)")
    }
}

impl<E> Failure<E> {
    /// Holds the error until its text is taken.
    pub fn new(error: E) -> Self {
        Self(Cell::new(Some(error)))
    }

    fn take(&self) -> E {
        self.0.take().expect("a failure is taken once")
    }
}

/// For errors, and for types that convert into one: `anyhow::Error`, strings.
pub trait FailureByError {
    /// The error and its causes.
    fn failure_text(self) -> String;
}

impl<E: Into<Box<dyn Error + Send + Sync>>> FailureByError for &&Failure<E> {
    fn failure_text(self) -> String {
        wording::chain(&*self.take().into())
    }
}

/// For types that can only be displayed.
pub trait FailureByDisplay {
    /// The error as it displays itself.
    fn failure_text(self) -> String;
}

impl<E: Display> FailureByDisplay for &&&Failure<E> {
    fn failure_text(self) -> String {
        self.take().to_string()
    }
}

/// For all other types: says that this does not work.
pub trait FailureOfAnotherType<E> {
    /// Never called: the compiler refuses the call.
    fn failure_text(self) -> String
    where
        E: HookError;
}

impl<E> FailureOfAnotherType<E> for &Failure<E> {
    fn failure_text(self) -> String
    where
        E: HookError,
    {
        self.take().describe()
    }
}

/// The requirement on the error of a user's function. Never implemented: types that can be displayed use another trait.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` cannot be displayed",
    label = "its error cannot be displayed",
    note = "return a `Result` whose error implements `std::fmt::Display`, such as `String`, `anyhow::Error` or an error type"
)]
pub trait HookError {
    /// The error as text.
    fn describe(self) -> String;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Displayed;

    impl Display for Displayed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the tide is out")
        }
    }

    #[derive(Debug)]
    struct Caused(std::string::FromUtf8Error);

    impl Display for Caused {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot seed")
        }
    }

    impl Error for Caused {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_error_of_any_type_is_told() {
        let utf8 = String::from_utf8(vec![0xff]).unwrap_err();
        let text = (&&Failure::new(Caused(utf8))).failure_text();
        assert!(text.starts_with("cannot seed: invalid utf-8"), "{text}");
        assert_eq!((&&Failure::new("no table")).failure_text(), "no table");
        assert_eq!(
            (&&Failure::new(format!("code {}", 3))).failure_text(),
            "code 3"
        );
        assert_eq!(
            (&&Failure::new(Displayed)).failure_text(),
            "the tide is out"
        );
    }
}
