//! What supervisors that were killed left in the directories of their runs.
//!
//! Nothing is touched but under the directory's own lock, and nothing where somebody listens.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::directory::{Log, RunDirectory};

/// How long a log is kept that somebody may have been told of.
const LOG_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes the directories of other runs beside this one in which there is nobody.
pub(super) fn sweep(own: &RunDirectory) {
    for directory in own.others() {
        // Held by a supervisor that starts or leaves, and by whoever starts one.
        let Some(lock) = directory.try_lock() else {
            continue;
        };
        if is_listening(&directory) {
            continue;
        }
        let log = match is_worth_keeping(&directory) {
            true => Log::Keep,
            false => Log::Remove,
        };
        directory.remove(lock, log);
    }
}

/// Whether a supervisor is there. In doubt there is one.
fn is_listening(directory: &RunDirectory) -> bool {
    match UnixStream::connect(directory.socket()) {
        Ok(_) => true,
        Err(error) => !matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
        ),
    }
}

/// Whether something is in the log, and not for long.
fn is_worth_keeping(directory: &RunDirectory) -> bool {
    std::fs::metadata(directory.log()).is_ok_and(|log| {
        let age = log
            .modified()
            .ok()
            .and_then(|written| written.elapsed().ok());
        log.len() > 0 && age.is_none_or(|age| age < LOG_KEPT)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::net::UnixListener;
    use std::path::Path;
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
        let other = parent.join("not-a-run");
        std::fs::create_dir(&other).expect("a directory");

        sweep(&own);

        let left: Vec<usize> = [&own, &dead, &old, &young, &held, &alive]
            .map(|directory| names(directory).len())
            .into();
        let in_young = names(&young);
        let other_exists = other.exists();
        std::fs::remove_dir_all(&parent).expect("a directory");
        assert_eq!(left, [3, 0, 0, 1, 3, 2]);
        assert_eq!(in_young, ["log"]);
        assert!(other_exists);
        assert!(!dead.path().exists() && !old.path().exists());
    }
}
