//! What the compiler knows of a package.
//!
//! Below everything that asks where files are: it names no service, and looks at nothing.

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
