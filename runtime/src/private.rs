//! What generated code calls. Not part of the public API: it changes without notice.

use std::future::Future;
use std::pin::Pin;

use crate::Service;

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
    pub package: &'static str,
    /// Directory of that package.
    pub manifest_dir: &'static str,
    /// Paths of built binaries, by binding.
    pub binaries: &'static [&'static str],
    /// Contents of included files, by binding.
    pub files: &'static [&'static [u8]],
    /// The user's functions, by binding.
    pub hooks: &'static [Hook],
}

/// A user's async function that looks at a service.
pub type Hook = fn(Service) -> HookFuture;

/// Its future.
pub type HookFuture =
    Pin<Box<dyn Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>>>>;

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
