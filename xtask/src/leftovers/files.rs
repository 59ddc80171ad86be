//! Files of ours among the temporary ones.

use std::path::PathBuf;

/// How the names of files begin that the product makes, and its tests.
const PREFIXES: [&str; 2] = ["seatrial-", "endings-"];

/// All of them, in the temporary directory and in this user's runtime directory.
pub(super) fn list() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let mut directories = vec![std::env::temp_dir()];
    directories.extend(runtime);
    let entries = directories
        .iter()
        .flat_map(std::fs::read_dir)
        .flatten()
        .flatten();
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    entries.map(|entry| entry.path()).filter(ours).collect()
}
