//! A declaration as the runtime sees it: the checked plan, and the values that only the compiler has.
//!
//! It is data from generated code. It must not launch anything, and need not check the data.

use std::future::Future;
use std::pin::Pin;

use seatrial_model::Plan;

use crate::Service;
use crate::package::Package;

/// A declaration as the macros hand it over: the checked plan, and the values that only the compiler has.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// The plan as JSON.
    pub plan: &'static str,
    /// The source file of the declaration, as the compiler names it: relative to the workspace for the workspace's own packages.
    pub file: &'static str,
    /// Line and column of the declaration in it.
    pub position: (u32, u32),
    /// Module of the declaration.
    pub module: &'static str,
    /// Package of the declaration.
    pub package: Package,
    /// Paths of built binaries, by binding. Empty for a binary of a named package, which is built when it is first needed.
    pub binaries: &'static [&'static str],
    /// Contents of included files, by binding.
    pub files: &'static [&'static [u8]],
    /// The user's functions, by binding.
    pub hooks: &'static [Hook],
    /// The keys of setups, by binding.
    pub keys: &'static [&'static str],
}

impl Declaration {
    /// The plan. `None` if it is of another version, which every launch reports.
    pub(crate) fn read_plan(&self) -> Option<Plan> {
        serde_json::from_str(self.plan).ok()
    }
}

/// A user's async function that checks a service, or sets it up.
pub type Hook = fn(Service) -> HookFuture;

/// The future of such a function. Its error is a text.
pub type HookFuture = Pin<Box<dyn Future<Output = Result<(), String>>>>;
