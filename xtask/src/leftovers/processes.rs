//! Processes of ours: those whose executable cargo has built in this workspace.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The process ids and executables of all of them but this process and those above it.
pub(super) fn list(target: &Path) -> Vec<(u32, PathBuf)> {
    // The kernel names executables by their real paths.
    let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
    let above = line_of(std::process::id(), |id| {
        parent(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    });
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| !above.contains(id))
        // There is none where the process has ended, also where nobody has waited for it yet.
        .filter_map(|id| Some((id, fs::read_link(format!("/proc/{id}/exe")).ok()?)))
        .filter(|(_, executable)| executable.starts_with(&target))
        .collect()
}

/// A process and its ancestors.
fn line_of(process: u32, parent: impl Fn(u32) -> Option<u32>) -> BTreeSet<u32> {
    std::iter::successors(Some(process), |&id| parent(id).filter(|&id| id != 0)).collect()
}

/// The parent's id in what the kernel says of a process: `42 (a name) S 7 ..`, in which the name may hold anything.
fn parent(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_parent_is_read_whatever_the_process_is_called() {
        assert_eq!(parent("42 (xtask) S 7 42 42 0"), Some(7));
        assert_eq!(parent("42 (a) S (b) S 7 42 42 0"), Some(7));
        assert_eq!(parent(""), None);
    }

    #[test]
    fn ancestors_go_up_to_the_first() {
        let parents = |id| {
            [(42, 7), (7, 1), (1, 0)]
                .iter()
                .find(|(of, _)| *of == id)
                .map(|(_, parent)| *parent)
        };
        assert_eq!(line_of(42, parents), BTreeSet::from([1, 7, 42]));
    }

    #[test]
    fn a_child_is_seen_while_it_runs_and_this_process_is_not() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let id = child.id();
        let executable = fs::read_link(format!("/proc/{id}/exe")).unwrap();
        let is_seen = || {
            let seen = list(executable.parent().unwrap());
            seen.contains(&(id, executable.clone()))
        };
        let while_it_runs = is_seen();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(while_it_runs);
        assert!(!is_seen());

        let executable = std::env::current_exe().unwrap();
        let seen = list(executable.parent().unwrap());
        assert!(seen.iter().all(|(id, _)| *id != std::process::id()));
    }
}
