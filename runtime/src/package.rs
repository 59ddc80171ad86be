//! A package, as the compiler knew it.
//!
//! It is data. It must not look at files.

/// A package, as it was when it was compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: &'static str,
    /// Its directory.
    pub directory: &'static str,
    /// Its directory relative to its workspace. Empty for the root.
    pub in_workspace: &'static str,
}
