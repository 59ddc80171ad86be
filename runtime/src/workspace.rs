//! The places of the user's files: the source and its mounts, the configuration, the contexts of builds, the package's binaries. All
//! of them come from the same tree.
//!
//! Test executables are moved (`cargo nextest archive`), and checkouts are copied. So the variables of cargo and nextest in this
//! process's environment override the paths that were compiled in. They count only if they are about the same package, because a
//! process may have inherited them.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::package::Package;
use crate::{Error, ErrorKind};

/// The package that the tests of this process belong to.
static TESTED: OnceLock<Package> = OnceLock::new();
/// The first package whose declaration this process launched.
static DECLARED: OnceLock<Package> = OnceLock::new();

/// Notes the package whose tests this process runs.
pub(crate) fn is_tested(package: Package) {
    let _ = TESTED.set(package);
}

/// Notes the package of a declaration that this process launches. The process need not belong to it.
pub(crate) fn is_declared(package: Package) {
    let _ = DECLARED.set(package);
}

/// The workspace of the package whose tests or program this process runs. It does not change after the first call.
pub(crate) fn of_process() -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    let root = || Surroundings::of_process().root(TESTED.get(), DECLARED.get());
    ROOT.get_or_init(root).clone()
}

/// The present directory of a package with a declaration.
pub(crate) fn directory_of(package: Package) -> PathBuf {
    Surroundings::of_process().directory(package, &of_process())
}

/// The present path of a package's binary. Its path was `compiled` when the package's tests were compiled.
///
/// # Errors
///
/// The binary does not exist, or exists only in another tree.
pub(crate) fn binary(package: Package, name: &str, compiled: &Path) -> Result<PathBuf, Error> {
    Surroundings::of_process().binary(package, name, compiled, &of_process())
}

/// Whether a package is not where it was when its tests were compiled.
pub(crate) fn has_moved(package: Package) -> bool {
    Surroundings::of_process().has_moved(package, &of_process())
}

/// User and group id of this process.
pub(crate) fn user() -> (u32, u32) {
    // SAFETY: both calls take no arguments, touch no memory and cannot fail.
    unsafe { (libc::getuid(), libc::getgid()) }
}

/// The facts about its place that a process can see.
struct Surroundings<V> {
    variables: V,
    directory: Option<PathBuf>,
    executable: Option<PathBuf>,
}

impl Surroundings<fn(&str) -> Option<OsString>> {
    fn of_process() -> Self {
        Self {
            variables: |name| env::var_os(name),
            directory: env::current_dir().ok(),
            executable: env::current_exe().ok(),
        }
    }
}

impl<V: Fn(&str) -> Option<OsString>> Surroundings<V> {
    fn path(&self, variable: &str) -> Option<PathBuf> {
        (self.variables)(variable)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }

    /// Whether the variables are about this package: cargo or nextest has set them for this process, or for one of its ancestors.
    fn is_for(&self, package: &Package) -> bool {
        (self.variables)("CARGO_PKG_NAME").is_some_and(|name| name == package.name)
    }

    /// The root of the workspace that cargo or nextest names.
    fn named(&self) -> Option<PathBuf> {
        let package = self.path("CARGO_MANIFEST_DIR")?;
        let root = match self.nextest_root() {
            Some(root) if root.join("Cargo.toml").is_file() => root,
            _ => root_above(&package),
        };
        Some(root)
    }

    /// The root of the workspace that nextest names, unless a cargo that it has started names another.
    fn nextest_root(&self) -> Option<PathBuf> {
        let root = self.path("NEXTEST_WORKSPACE_ROOT")?;
        let package = self.path("CARGO_MANIFEST_DIR")?;
        package.starts_with(&root).then_some(root)
    }

    fn root(&self, tested: Option<&Package>, declared: Option<&Package>) -> PathBuf {
        let concerns = |root: &PathBuf| match tested {
            Some(tested) => self.is_for(tested) || tested.is_in(root),
            // The package of the process is unknown.
            None => true,
        };
        if let Some(root) = self.named().filter(concerns) {
            return root;
        }
        let directory = self.directory.as_deref().unwrap_or(Path::new("/"));
        let above = root_above(directory);
        let Some(package) = tested.or(declared) else {
            return above;
        };
        let of_executable = self.executable.iter().flat_map(|path| path.ancestors());
        package
            .compiled_root()
            .into_iter()
            .chain([above.clone()])
            .chain(of_executable.map(Path::to_owned))
            .find(|root| package.is_in(root))
            .unwrap_or(above)
    }

    /// The directory of a package in the tree with this root. If it belongs to another workspace, its directory when it was compiled.
    fn directory(&self, package: Package, root: &Path) -> PathBuf {
        let compiled = PathBuf::from(package.directory);
        let named = self.path("CARGO_MANIFEST_DIR");
        let named = named.filter(|_| self.is_for(&package));
        let is_its = |directory: &PathBuf| names(directory, package.name);
        if let Some(named) = named.clone().filter(is_its) {
            return named;
        }
        if package.is_in(root) {
            return package.below(root);
        }
        match named {
            Some(named) if !compiled.is_dir() => named,
            _ => compiled,
        }
    }

    fn has_moved(&self, package: Package, root: &Path) -> bool {
        !is_same(&self.directory(package, root), Path::new(package.directory))
    }

    fn binary(
        &self,
        package: Package,
        name: &str,
        compiled: &Path,
        root: &Path,
    ) -> Result<PathBuf, Error> {
        let by_nextest = || {
            self.nextest_root()?;
            self.path(&format!("NEXTEST_BIN_EXE_{name}"))
        };
        let by_cargo = || self.path(&format!("CARGO_BIN_EXE_{name}"));
        let named = self
            .is_for(&package)
            .then(|| by_nextest().or_else(by_cargo));
        if let Some(named) = named.flatten() {
            return match named.is_file() {
                true => Ok(named),
                false => Err(not_there(name, &named, compiled)),
            };
        }
        let directory = self.directory(package, root);
        let has_moved = self.has_moved(package, root);
        if !has_moved && compiled.is_file() {
            return Ok(compiled.to_owned());
        }
        // Cargo puts it beside the directory of the test executables, `target/debug/deps`.
        let executables = self.executable.as_deref().and_then(Path::parent);
        let beside = executables
            .filter(|directory| directory.ends_with("deps"))
            .and_then(Path::parent)
            .map(|directory| directory.join(name));
        match beside.filter(|beside| beside.is_file()) {
            Some(beside) => Ok(beside),
            None if has_moved => Err(of_another_tree(name, compiled, &directory)),
            None => Err(not_there(name, compiled, compiled)),
        }
    }
}

impl Package {
    /// The root of the package's workspace when it was compiled.
    fn compiled_root(&self) -> Option<PathBuf> {
        let below = Path::new(self.in_workspace);
        let directory = Path::new(self.directory);
        let count = below.components().count();
        let root = directory.ancestors().nth(count)?;
        directory.ends_with(below).then(|| root.to_owned())
    }

    fn below(&self, root: &Path) -> PathBuf {
        match self.in_workspace {
            "" => root.to_owned(),
            below => root.join(below),
        }
    }

    /// Whether the tree with this root has the package.
    fn is_in(&self, root: &Path) -> bool {
        names(&self.below(root), self.name)
    }
}

/// Whether the manifest in a directory is that of the package of this name.
fn names(directory: &Path, package: &str) -> bool {
    let manifest = std::fs::read_to_string(directory.join("Cargo.toml"));
    let manifest = manifest
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok());
    manifest.is_some_and(|manifest| {
        let named = manifest.get("package").and_then(|it| it.get("name"));
        named.and_then(toml::Value::as_str) == Some(package)
    })
}

fn is_same(one: &Path, other: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().ok();
    one == other || canonical(one).is_some_and(|one| Some(one) == canonical(other))
}

fn not_there(name: &str, path: &Path, compiled: &Path) -> Error {
    let what = format!("the binary `{name}` is not at `{}`", path.display());
    Error::new(ErrorKind::Files, what).with(|report| {
        if path != compiled {
            let was = format!("the tests were compiled with it at `{}`", compiled.display());
            report.details.push(was);
        }
        report.help = Some(
            "build the tests again; if they were moved, move the binary with them, as `cargo nextest archive` does"
                .to_owned(),
        );
    })
}

fn of_another_tree(name: &str, compiled: &Path, directory: &Path) -> Error {
    let what = format!(
        "the binary `{name}` at `{}` may not be that of the tree at `{}`",
        compiled.display(),
        directory.display()
    );
    Error::new(ErrorKind::Files, what).with(|report| {
        report
            .details
            .push("the tests were compiled in another tree, and no variable names the binary's present path".to_owned());
        report.help = Some(
            "build the tests again in this tree, or have cargo-nextest or cargo (1.94 or later) run them, which say where \
             binaries are"
                .to_owned(),
        );
    })
}

/// The root of the workspace of a directory, by the same rule as in the macros.
fn root_above(directory: &Path) -> PathBuf {
    let manifest = |path: &Path| std::fs::read_to_string(path).ok();
    seatrial_model::workspace::root(directory, manifest).to_owned()
}

#[cfg(test)]
mod tests;
