//! Removing the directories of killed supervisors.
//!
//! A directory must be touched only under its own lock, and only if no supervisor listens in it. A directory whose journal names
//! resources on an engine stays until they are removed.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::directory::{ElectionLock, Log, RunDirectory};
use crate::private_directory::idle;

/// How long a log is kept. A message may have named it.
const LOG_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a journal is kept whose resources cannot be removed, for example because the engine does not run any more.
const JOURNAL_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A directory without a supervisor, but with a journal.
#[derive(Debug)]
pub(crate) struct AbandonedDirectory {
    directory: RunDirectory,
    pub(crate) journal: Vec<u8>,
    /// The time since the journal was last written.
    pub(crate) idle: Duration,
}

impl AbandonedDirectory {
    /// Removes the directory, unless a supervisor has started in it meanwhile.
    pub(crate) fn remove(self) {
        if let Some(lock) = lock_abandoned(&self.directory)
            && journal(&self.directory) == self.journal
        {
            remove(&self.directory, lock);
        }
    }
}

/// Removes the directories of other runs that have no supervisor. Directories with a journal stay, and are returned.
pub(super) fn sweep(own: &RunDirectory) -> Vec<AbandonedDirectory> {
    let mut abandoned = Vec::new();
    for directory in own.others() {
        let Some(lock) = lock_abandoned(&directory) else {
            continue;
        };
        let journal = journal(&directory);
        if journal.is_empty() {
            remove(&directory, lock);
        } else {
            abandoned.push(AbandonedDirectory {
                idle: std::fs::metadata(directory.journal())
                    .ok()
                    .and_then(|journal| idle(&journal))
                    .unwrap_or_default(),
                directory,
                journal,
            });
        }
    }
    abandoned
}

/// The lock of a directory without a supervisor.
fn lock_abandoned(directory: &RunDirectory) -> Option<ElectionLock> {
    // A supervisor holds the lock while it starts or leaves, and so does a process that starts one.
    let lock = directory.try_lock()?;
    (!is_listening(directory)).then_some(lock)
}

/// The content of the journal. Empty if there is none, or if it is too old.
fn journal(directory: &RunDirectory) -> Vec<u8> {
    match is_younger(&directory.journal(), JOURNAL_KEPT) {
        true => std::fs::read(directory.journal()).unwrap_or_default(),
        false => Vec::new(),
    }
}

fn remove(directory: &RunDirectory, lock: ElectionLock) {
    let log = match is_younger(&directory.log(), LOG_KEPT) {
        true => Log::Keep,
        false => Log::Remove,
    };
    directory.remove(lock, log);
}

/// Whether a supervisor listens. `true` if that is unknown.
fn is_listening(directory: &RunDirectory) -> bool {
    match UnixStream::connect(directory.socket()) {
        Ok(_) => true,
        Err(error) => !matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
        ),
    }
}

/// Whether a file is not empty, and was written less than `kept` ago.
fn is_younger(file: &Path, kept: Duration) -> bool {
    std::fs::metadata(file)
        .is_ok_and(|file| file.len() > 0 && idle(&file).is_none_or(|idle| idle < kept))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::net::UnixListener;
    use std::time::SystemTime;

    use super::*;

    /// The directory of a run whose supervisor was killed.
    fn abandoned(parent: &Path, key: &str, log: &str) -> RunDirectory {
        let directory = RunDirectory::below(parent, key);
        drop(directory.lock().expect("nobody has it"));
        drop(UnixListener::bind(directory.socket()).expect("a socket"));
        std::fs::write(directory.log(), log).expect("a file");
        directory
    }

    fn names(directory: &RunDirectory) -> Vec<String> {
        let entries = std::fs::read_dir(directory.path()).into_iter().flatten();
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn only_what_nobody_has_is_removed() {
        let name = format!("seatrial-sweep-{}", std::process::id());
        let parent = std::env::temp_dir().join(name);
        let own = abandoned(&parent, "own", "");
        let dead = abandoned(&parent, "dead", "");
        let old = abandoned(&parent, "old", "panicked long ago");
        let log = File::options().write(true).open(old.log()).expect("a log");
        log.set_modified(SystemTime::now() - 2 * LOG_KEPT)
            .expect("a time");
        let young = abandoned(&parent, "young", "panicked");
        let held = abandoned(&parent, "held", "");
        let _lock = held.lock().expect("nobody has it");
        let alive = RunDirectory::below(&parent, "alive");
        drop(alive.lock().expect("nobody has it"));
        let _listener = UnixListener::bind(alive.socket()).expect("a socket");
        let told = abandoned(&parent, "told", "");
        std::fs::write(told.journal(), "of something").expect("a file");
        let long_ago = abandoned(&parent, "long-ago", "");
        let journal = File::create(long_ago.journal()).expect("a journal");
        std::fs::write(long_ago.journal(), "of something").expect("a file");
        journal
            .set_modified(SystemTime::now() - 2 * JOURNAL_KEPT)
            .expect("a time");
        let other = parent.join("not-a-run");
        std::fs::create_dir(&other).expect("a directory");

        let mut with_journal = sweep(&own);

        let left: Vec<usize> = [&own, &dead, &old, &young, &held, &alive, &told, &long_ago]
            .map(|directory| names(directory).len())
            .into();
        let with_journal = with_journal.pop().expect("one has a journal");
        let read = with_journal.journal.clone();
        // Somebody has been there since.
        std::fs::write(told.journal(), "of more").expect("a file");
        with_journal.remove();
        let changed = names(&told).len();
        for with_journal in sweep(&own) {
            with_journal.remove();
        }
        let in_told = names(&told);
        let in_young = names(&young);
        let other_exists = other.exists();
        std::fs::remove_dir_all(&parent).expect("a directory");
        assert_eq!(left, [3, 0, 0, 1, 3, 2, 4, 0]);
        assert_eq!(read, b"of something");
        assert_eq!((changed, in_told.len()), (4, 0), "{in_told:?}");
        assert_eq!(in_young, ["log"]);
        assert!(other_exists);
        assert!(!dead.path().exists() && !old.path().exists());
    }
}
