//! Where the user's source is.

use std::path::{Path, PathBuf};

/// The workspace of the package whose test or program this process is.
pub(crate) fn of_process() -> PathBuf {
    let start = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .or_else(|| std::env::current_dir().ok())
        .unwrap_or_else(|| PathBuf::from("/"));
    root_of(&start)
}

/// The nearest directory at or above `package` whose manifest declares a workspace, else `package` itself.
fn root_of(package: &Path) -> PathBuf {
    let declares_workspace = |directory: &&Path| {
        std::fs::read_to_string(directory.join("Cargo.toml")).is_ok_and(|manifest| {
            manifest.lines().any(|line| {
                let line = line.trim();
                line == "[workspace]"
                    || line.starts_with("[workspace.")
                    || line.starts_with("[workspace]#")
                    || line.starts_with("[workspace] ")
            })
        })
    };
    let root = package
        .ancestors()
        .find(declares_workspace)
        .unwrap_or(package);
    root.to_owned()
}

/// The directory of the package that declares a composition: where it was at compile time or, where the tests were
/// built elsewhere and moved here, where cargo or nextest says it is now.
pub(crate) fn package_dir(at_compile_time: &str, package: &str) -> PathBuf {
    let compiled = PathBuf::from(at_compile_time);
    if !compiled.is_dir()
        && std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == package)
        && let Some(now) = std::env::var_os("CARGO_MANIFEST_DIR")
    {
        return PathBuf::from(now);
    }
    compiled
}

/// User and group id of this process.
pub(crate) fn user() -> (u32, u32) {
    // SAFETY: both calls take nothing, touch no memory and cannot fail.
    unsafe { (libc::getuid(), libc::getgid()) }
}
