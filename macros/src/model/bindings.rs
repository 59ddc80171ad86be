//! Edges with their spans, and the values that the plan refers to by number.

use proc_macro2::Span;

use crate::syntax::Spanned;

/// A service's need of another one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    /// Position of the service that is needed.
    pub(crate) to: usize,
    /// The text or word that names it.
    pub(crate) span: Span,
    /// Whether the value of a placeholder comes from it, which a word in `needs(..)` does not ask for.
    pub(crate) is_read: bool,
}

/// A binary target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binary {
    /// `None` for the declaring package.
    pub(crate) package: Option<String>,
    pub(crate) name: String,
}

/// Values that the plan refers to by number. The generated code supplies them.
#[derive(Default)]
pub(crate) struct Bindings {
    pub(crate) binaries: Vec<Binary>,
    /// Paths of included files, relative to the package's directory.
    pub(crate) files: Vec<Spanned<String>>,
    /// The user's functions.
    pub(crate) hooks: Vec<syn::Path>,
    /// Expressions of the keys of setups.
    pub(crate) keys: Vec<syn::Expr>,
}
