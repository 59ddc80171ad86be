//! What the plan refers to by position: the edges behind its needs, and what the generated code binds.

use proc_macro2::Span;

use crate::syntax::Spanned;

/// A service's need of another one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    /// Position of the service that is needed.
    pub(crate) to: usize,
    /// The text or the word that says so.
    pub(crate) span: Span,
}

/// What the plan refers to by number and the generated code supplies.
#[derive(Default)]
pub(crate) struct Bindings {
    /// Names of binary targets.
    pub(crate) binaries: Vec<String>,
    /// Paths of included files, relative to the package's directory.
    pub(crate) files: Vec<Spanned<String>>,
    /// The user's functions.
    pub(crate) hooks: Vec<syn::Path>,
    /// Expressions of what setups depend on beyond the plan.
    pub(crate) keys: Vec<syn::Expr>,
}
