//! What a declaration is to the runtime: the checked plan, and what only the compiler could supply.
//!
//! Data that generated code fills in. It launches nothing and trusts what it is given.

use std::future::Future;
use std::pin::Pin;

use seatrial_model::Plan;

use crate::Service;
use crate::package::Package;

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

/// A user's async function that looks at a service, or sets it up.
pub type Hook = fn(Service) -> HookFuture;

/// Its future: what went wrong is told as text.
pub type HookFuture = Pin<Box<dyn Future<Output = Result<(), String>>>>;
