//! Files of ours among the temporary ones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How the names of files begin that the product makes, and its tests.
const PREFIXES: [&str; 2] = ["seatrial-", "endings-"];

/// Where the product has its sockets in the user's runtime directory.
const OWN: &str = "seatrial";

/// Where it has them if the path of any other directory is too long.
const SHORT: &str = "/tmp";

/// All of them, in the temporary directory and in this user's runtime directory.
pub(super) fn list() -> BTreeSet<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let directories = [std::env::temp_dir(), PathBuf::from(SHORT)];
    directories
        .into_iter()
        .chain(runtime)
        .flat_map(|directory| list_in(&directory))
        .collect()
}

/// Those in one directory, each with what is directly in it: a directory that runs share may have existed before.
fn list_in(directory: &Path) -> Vec<PathBuf> {
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name == OWN || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    let mut ours = entries(directory);
    ours.retain(is_ours);
    let inside: Vec<_> = ours.iter().flat_map(|path| entries(path)).collect();
    ours.extend(inside);
    ours
}

/// What is in a directory; nothing where it is not a directory.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_ours_is_told_by_its_name_and_with_what_is_in_it() {
        let directory = std::env::temp_dir().join(format!("xtask-files-{}", std::process::id()));
        for name in ["seatrial/0123", "seatrial-1000/4567", "other/89ab"] {
            fs::create_dir_all(directory.join(name)).unwrap();
        }
        fs::write(directory.join("endings-1"), "").unwrap();
        let mut found = list_in(&directory);
        fs::remove_dir_all(&directory).unwrap();
        found.sort();
        let ours = [
            "endings-1",
            "seatrial",
            "seatrial/0123",
            "seatrial-1000",
            "seatrial-1000/4567",
        ];
        assert_eq!(found, ours.map(|name| directory.join(name)));
    }
}
