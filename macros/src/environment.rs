//! The crate that is being compiled, as far as a macro can know it: cargo's environment variables and the files of the
//! workspace. The only I/O of this crate. Must only read.
//!
//! Tools other than cargo may give less. What is not known is not checked, rather than refused.

mod packages;

use std::fmt;
use std::path::{Component, Path, PathBuf};

pub(crate) use packages::Package;

/// The crate that is being compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// Directory of the package.
    pub(crate) package: Option<PathBuf>,
    /// The binaries of the package that the compilation may use; `None` if they are not known.
    pub(crate) binaries: Option<Vec<String>>,
    /// Whether cargo compiles an integration test or a bench: what may use the package's binaries.
    pub(crate) may_use_binaries: bool,
    /// Whether an editor expands the macro, rather than the compiler.
    pub(crate) is_editor: bool,
}

impl Environment {
    /// Reads it from the compiler's process.
    pub(crate) fn of_this_compilation() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        // An editor's analysis expands macros without most of cargo's variables.
        let is_editor = variable("RUST_ANALYZER_INTERNALS_DO_NOT_USE").is_some();
        let by_cargo = variable("CARGO_CRATE_NAME").is_some() && !is_editor;
        let mut binaries: Vec<String> = std::env::vars_os()
            .filter_map(|(name, _)| {
                let name = name.into_string().ok()?;
                name.strip_prefix("CARGO_BIN_EXE_").map(str::to_owned)
            })
            .collect();
        binaries.sort();
        Self {
            package: variable("CARGO_MANIFEST_DIR").map(PathBuf::from),
            binaries: (by_cargo || !binaries.is_empty()).then_some(binaries),
            // Cargo sets it where it sets `CARGO_BIN_EXE_..`, also for a package without a binary.
            may_use_binaries: variable("CARGO_TARGET_TMPDIR").is_some(),
            is_editor,
        }
    }

    /// The package's path in its workspace; empty for the root package, and if it is not known.
    pub(crate) fn package_in_workspace(&self) -> String {
        let below = || {
            let package = self.package.as_ref()?.canonicalize().ok()?;
            let workspace = workspace(&package)?;
            package
                .strip_prefix(workspace)
                .ok()?
                .to_str()
                .map(str::to_owned)
        };
        below().unwrap_or_default()
    }

    /// The text of a file of the workspace, by its path from the package's directory.
    pub(crate) fn read(&self, relative: &str) -> Option<String> {
        std::fs::read_to_string(self.package.as_ref()?.join(relative)).ok()
    }

    /// The packages of the workspace. `None` if they are not known for certain.
    pub(crate) fn packages(&self) -> Option<Vec<Package>> {
        let package = self.package.as_ref()?.canonicalize().ok()?;
        packages::below(&workspace(&package)?)
    }

    /// Checks that `relative`, a path from the package's directory, exists in the workspace and is of the wanted kind.
    pub(crate) fn check_path(&self, relative: &str, wanted: Wanted) -> Result<(), PathProblem> {
        if relative.is_empty() {
            return Err(PathProblem::Empty);
        }
        if Path::new(relative).is_absolute() {
            return Err(PathProblem::Absolute);
        }
        let package = self
            .package
            .as_ref()
            .and_then(|package| package.canonicalize().ok());
        let Some(package) = package else {
            return Ok(());
        };
        let Some(workspace) = workspace(&package) else {
            return Ok(());
        };
        let path = normalize(&package.join(relative));
        if !path.starts_with(&workspace) {
            return Err(PathProblem::Outside);
        }
        match path.canonicalize() {
            // A link may lead out of the workspace.
            Ok(found) if !found.starts_with(&workspace) => Err(PathProblem::Outside),
            Ok(found) if wanted == Wanted::File && !found.is_file() => Err(PathProblem::NotAFile),
            Ok(found) if wanted == Wanted::Directory && !found.is_dir() => {
                Err(PathProblem::NotADirectory)
            }
            Ok(_) => Ok(()),
            Err(_) => Err(PathProblem::Missing),
        }
    }
}

/// The directory of the workspace that `package` is in.
fn workspace(package: &Path) -> Option<PathBuf> {
    let root =
        seatrial_model::workspace::root(package, |manifest| std::fs::read_to_string(manifest).ok());
    root.canonicalize().ok()
}

/// `path` without `.` and `..`, by its text alone.
fn normalize(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normalized.pop();
            }
            other => normalized.push(other),
        }
    }
    normalized
}

/// The kind of file that a path must lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Anything,
    File,
    Directory,
}

/// Why a path in the package is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathProblem {
    Empty,
    Absolute,
    Missing,
    Outside,
    NotAFile,
    NotADirectory,
}

impl fmt::Display for PathProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the path is empty; write `.` for this package's directory"),
            Self::Absolute => {
                f.write_str("the path is absolute; write it relative to this package's directory")
            }
            Self::Missing => f.write_str(
                "no such file or directory; create it, or write a path relative to this package's directory",
            ),
            Self::NotAFile => {
                f.write_str("not a file; write the path of one, or use `mount(..)` for a directory")
            }
            Self::NotADirectory => f.write_str("not a directory; write the path of one"),
            Self::Outside => f.write_str(
                "outside of the workspace; move what it names into the workspace",
            ),
        }
    }
}
