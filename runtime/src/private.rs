//! What generated code calls. Not part of the public API: it changes without notice.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;

use seatrial_model::Plan;

use crate::{Service, wording};

pub use crate::test_run::{Launches, Ready, Test, run, run_async};

/// A declaration as the macros hand it over: the checked plan, and what only the compiler can supply.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// The plan as JSON.
    pub plan: &'static str,
    /// Source file of the declaration, as the compiler was given it: relative to the workspace for its own packages.
    pub file: &'static str,
    /// Line and column of the declaration in it.
    pub position: (u32, u32),
    /// Module of the declaration.
    pub module: &'static str,
    /// Package of the declaration.
    pub package: Package,
    /// Paths of built binaries, by binding.
    pub binaries: &'static [&'static str],
    /// Contents of included files, by binding.
    pub files: &'static [&'static [u8]],
    /// The user's functions, by binding.
    pub hooks: &'static [Hook],
    /// What setups depend on beyond the plan, by binding.
    pub keys: &'static [&'static str],
}

impl Declaration {
    /// Its plan; nothing where that is of another version, which every launch of it reports.
    pub(crate) fn read_plan(&self) -> Option<Plan> {
        serde_json::from_str(self.plan).ok()
    }
}

/// A package, as it was when the compiler had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: &'static str,
    /// Its directory.
    pub directory: &'static str,
    /// Where that is in the package's workspace; empty for the root.
    pub in_workspace: &'static str,
}

/// A user's async function that looks at a service, or sets it up.
pub type Hook = fn(Service) -> HookFuture;

/// Its future: what went wrong is told as text.
pub type HookFuture = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// What a field of a composition can be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no service",
    label = "no service",
    note = "write `seatrial::Service` as the type of a field or parameter with `#[service(..)]`"
)]
pub trait FromService: Sized {
    /// The typed handle.
    fn from_service(service: Service) -> Self;
}

impl FromService for Service {
    fn from_service(service: Service) -> Self {
        service
    }
}

/// The next service of a launch.
///
/// # Panics
///
/// Never: the macros ask for as many as the plan has.
pub fn next_service<T: FromService>(services: &mut dyn Iterator<Item = Service>) -> T {
    T::from_service(
        services
            .next()
            .expect("a launch yields a service for each of the plan's"),
    )
}

/// The error of a user's function, of whatever type: `(&&Failure::new(error)).failure_text()` finds the way to tell it. With its causes
/// where it is an error or becomes one, as [`Display`] has it otherwise.
pub struct Failure<E>(Cell<Option<E>>);

impl<E> std::fmt::Debug for Failure<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Failure(..)")
    }
}

impl<E> Failure<E> {
    /// Holds the error until it is told.
    pub fn new(error: E) -> Self {
        Self(Cell::new(Some(error)))
    }

    fn take(&self) -> E {
        self.0.take().expect("a failure is told once")
    }
}

/// The way for errors, and for what becomes one: `anyhow::Error`, texts.
pub trait FailureByError {
    /// The error and its causes.
    fn failure_text(self) -> String;
}

impl<E: Into<Box<dyn Error + Send + Sync>>> FailureByError for &&Failure<E> {
    fn failure_text(self) -> String {
        wording::chain(&*self.take().into())
    }
}

/// The way for what can only be displayed.
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
    /// Never called: it is there to be refused by the compiler.
    fn failure_text(self) -> String
    where
        E: HookError;
}

impl<E> FailureOfAnotherType<E> for &Failure<E> {
    fn failure_text(self) -> String
    where
        E: HookError,
    {
        self.take().told()
    }
}

/// What the error of a user's function must be able to do. Never implemented: whoever can be displayed has another way.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` cannot be displayed",
    label = "its error cannot be displayed",
    note = "return a `Result` whose error implements `std::fmt::Display`, such as `String`, `anyhow::Error` or an error type"
)]
pub trait HookError {
    /// The error as text.
    fn told(self) -> String;
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
