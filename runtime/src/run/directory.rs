//! The directory in which the processes of a run find each other. Only this user may enter it, and its name is derived from the run.
//!
//! It holds the supervisor's socket, log and journal, and the lock under which a supervisor starts and leaves. Only the holder of
//! the lock may change the directory. This module owns the files, not their content.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::fingerprint::Fingerprint;
use crate::flock;
use crate::private_directory::{create_private, open_private, user};

/// The length of a directory's name, in hex digits.
const NAME_LENGTH: usize = 16;

/// The longest path of a socket: `sun_path` of unix(7), with the zero that ends it.
const SOCKET_PATH_MAX: usize = 107;

/// The directory of a run. It need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// The directory of the run with this key, for this user.
    pub(super) fn of_user(key: &str) -> Self {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        Self::among(runtime, std::env::temp_dir(), key)
    }

    /// The directory in the user's runtime directory if that is suitable, otherwise in the temporary directory.
    fn among(runtime: Option<PathBuf>, temporary: PathBuf, key: &str) -> Self {
        let is_own = |path: &PathBuf| {
            std::fs::metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == user())
        };
        let name = format!("seatrial-{}", user());
        let runtime = runtime.filter(is_own).map(|path| path.join("seatrial"));
        [runtime, Some(temporary.join(&name))]
            .into_iter()
            .flatten()
            .filter(|parent| parent.is_absolute())
            .map(|parent| Self::below(&parent, key))
            .find(|directory| directory.socket().as_os_str().len() <= SOCKET_PATH_MAX)
            .unwrap_or_else(|| Self::below(&Path::new("/tmp").join(&name), key))
    }

    /// The directory of the run with this key, below `parent`, which no other software uses.
    pub(super) fn below(parent: &Path, key: &str) -> Self {
        let name = Fingerprint::new().add(key.as_bytes()).finish();
        Self::at(parent.join(&name[..NAME_LENGTH]))
    }

    /// The directory at this path.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The socket that the supervisor listens on.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path.join("socket")
    }

    /// The file of the supervisor's standard error.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// The file in which the supervisor records its resources on engines.
    pub(super) fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// The file whose lock a process holds while it starts a supervisor, or leaves as one.
    pub(super) fn election(&self) -> PathBuf {
        self.path.join("election")
    }

    /// Opens the log for appending.
    pub(super) fn open_log(&self) -> io::Result<File> {
        std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(self.log())
    }

    /// Waits for the lock. Creates the directory if it does not exist.
    ///
    /// # Errors
    ///
    /// The directory cannot be created, or others have access to it.
    pub(super) fn lock(&self) -> io::Result<ElectionLock> {
        loop {
            if let Some(parent) = self.path.parent() {
                create_private(parent)?;
            }
            let created = create_private(&self.path);
            let file = match created.and_then(|()| open_private(&self.election(), true)) {
                Ok(file) => file,
                // A supervisor that left has removed the directory or its parent meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            flock::lock(&file)?;
            if flock::is_at(&file, &self.election()) {
                return Ok(ElectionLock { file });
            }
        }
    }

    /// Takes the lock of a directory that exists, unless another process holds it.
    pub(super) fn try_lock(&self) -> Option<ElectionLock> {
        let file = open_private(&self.election(), true).ok()?;
        let is_taken = flock::try_lock(&file).unwrap_or(false);
        (is_taken && flock::is_at(&file, &self.election())).then_some(ElectionLock { file })
    }

    /// Removes the directory with its content. The last one to be removed takes its parent with it.
    pub(super) fn remove(&self, lock: ElectionLock, log: Log) {
        // Errors are ignored: what is left is swept later.
        let _ = std::fs::remove_file(self.socket());
        let _ = std::fs::remove_file(self.journal());
        if log == Log::Remove {
            let _ = std::fs::remove_file(self.log());
        }
        // The lock's own file is the last: until then, no other process changes the directory.
        let _ = std::fs::remove_file(self.election());
        let _ = std::fs::remove_dir(&self.path);
        drop(lock);
        if let Some(parent) = self.path.parent() {
            let _ = std::fs::remove_dir(parent);
        }
    }

    /// The directories of other runs beside this one.
    pub(super) fn others(&self) -> impl Iterator<Item = Self> {
        let entries = self.path.parent().map(std::fs::read_dir);
        let paths = entries.into_iter().flatten().flatten().flatten();
        paths
            .filter(|entry| {
                let name = entry.file_name();
                let name = name.as_bytes();
                name.len() == NAME_LENGTH && name.iter().all(u8::is_ascii_hexdigit)
            })
            .map(|entry| Self::at(entry.path()))
            .filter(|other| other.path != self.path)
    }
}

/// Whether the log stays when a supervisor leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// The log contains nothing worth reading.
    Remove,
    /// A message has named the log. It is swept when it is old.
    Keep,
}

/// The lock of a run's directory, held until this is dropped.
#[derive(Debug)]
pub(super) struct ElectionLock {
    file: File,
}

impl ElectionLock {
    /// Another descriptor of the same open file. A process that gets it holds the lock, too.
    pub(super) fn share(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Drop for ElectionLock {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread forks has a descriptor, too, until it starts another program.
        let _ = flock::unlock(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("seatrial-directory-{}-{name}", std::process::id()))
    }

    #[test]
    fn the_users_runtime_directory_comes_first_where_it_is_fit() {
        let own = parent("runtime");
        create_private(&own).expect("a directory");
        let chosen = |runtime: &str, temporary: &str| {
            let runtime = Some(PathBuf::from(runtime));
            RunDirectory::among(runtime, PathBuf::from(temporary), "key")
        };
        let (own_text, user) = (own.to_str().expect("plain"), user());
        let in_own = chosen(own_text, "/t");
        let unfit = [
            chosen("/nonexistent", "/t"),
            chosen("relative", "/t"),
            RunDirectory::among(None, PathBuf::from("/t"), "key"),
        ];
        let long = format!("/{}", "t".repeat(90));
        let in_tmp = [chosen("/nonexistent", &long), chosen("", "relative")];
        std::fs::remove_dir(&own).expect("it is empty");

        assert_eq!(in_own, RunDirectory::below(&own.join("seatrial"), "key"));
        for directory in unfit {
            let parent = PathBuf::from(format!("/t/seatrial-{user}"));
            assert_eq!(directory, RunDirectory::below(&parent, "key"));
        }
        for directory in in_tmp {
            let parent = PathBuf::from(format!("/tmp/seatrial-{user}"));
            assert_eq!(directory, RunDirectory::below(&parent, "key"));
        }
    }

    #[test]
    fn each_run_has_a_directory_of_its_own() {
        let parent = Path::new("/p");
        let a = RunDirectory::below(parent, "a");
        assert_eq!(a, RunDirectory::below(parent, "a"));
        assert_ne!(a, RunDirectory::below(parent, "b"));
        assert_eq!(
            a.path().file_name().map(|name| name.len()),
            Some(NAME_LENGTH)
        );
    }

    #[test]
    fn a_lock_creates_the_directory_and_keeps_others_out_until_it_is_dropped() {
        let directory = RunDirectory::below(&parent("lock"), "key");
        let lock = directory.lock().expect("nobody has it");
        assert!(directory.try_lock().is_none());
        let shared = lock.share().expect("a descriptor");
        // Also where another descriptor of the file is open.
        drop(lock);
        let lock = directory.try_lock().expect("nobody has it");
        drop(shared);
        assert!(directory.try_lock().is_none());
        directory.remove(lock, Log::Remove);
        assert!(!directory.path().parent().expect("a parent").exists());
        assert!(directory.try_lock().is_none(), "it does not exist");
    }
}
