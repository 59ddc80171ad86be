//! One fetch per image across processes: an advisory lock per image.
//!
//! A lock is an empty file in a directory that only this user may enter. It is held by `flock`, so the kernel releases it when the
//! process ends, for whatever reason. No file may stay behind, so the holder unlinks its file before it releases the lock. A
//! waiting process then holds a lock on a file without a name, detects that by comparing inodes, and begins again. The directory
//! is removed with its last file.
//!
//! The next process unlinks the files of killed processes. A file that can be locked at once either has no holder, or belongs
//! to a process that has opened it and not locked it yet. Such a process begins again.
//!
//! A holder can leave a note for the processes that wait at that moment. They have its file open, so the holder writes the note into
//! the file before it unlinks it.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::blocking;
use crate::flock;
use crate::private_directory::{create_private, open_private, user};

/// The directory of the locks of one user.
#[derive(Clone, Debug)]
pub(super) struct Locks {
    directory: PathBuf,
}

/// A held lock. Dropping it releases the lock.
#[derive(Debug)]
pub(super) struct Lock {
    directory: PathBuf,
    path: PathBuf,
    /// Closing it releases the lock.
    file: File,
}

/// The result of waiting for a lock.
#[derive(Debug)]
pub(super) enum Turn {
    Held(Lock),
    /// The holder before has left a note instead.
    Left(Vec<u8>),
}

impl Locks {
    /// The locks that all processes of this user share.
    pub(super) fn of_user() -> Self {
        let directory = match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
            Some(own) if own.is_dir() => own.join("seatrial-images"),
            _ => std::env::temp_dir().join(format!("seatrial-images-{}", user())),
        };
        Self { directory }
    }

    #[cfg(test)]
    pub(super) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Removes the files of killed processes.
    pub(super) fn sweep(&self) {
        sweep(&self.directory);
        // Removing fails while another process has a lock in it.
        let _ = std::fs::remove_dir(&self.directory);
    }

    /// Waits for the lock of that name, or for a note of its holder. Calls `waiting` once if another process holds the lock.
    ///
    /// # Errors
    ///
    /// The directory cannot be created, or others have access to it.
    pub(super) async fn acquire(
        &self,
        name: &str,
        waiting: impl FnOnce() + Send + 'static,
    ) -> io::Result<Turn> {
        let (directory, path) = self.file(name);
        blocking::run(move || acquire(directory, path, waiting)).await
    }

    /// Takes the lock of that name, unless another process holds it.
    ///
    /// # Errors
    ///
    /// The same as of [`acquire`](Self::acquire).
    pub(super) async fn try_acquire(&self, name: &str) -> io::Result<Option<Lock>> {
        let (directory, path) = self.file(name);
        blocking::run(move || try_acquire(directory, path)).await
    }

    /// The directory and the file of the lock of that name.
    fn file(&self, name: &str) -> (PathBuf, PathBuf) {
        let path = self.directory.join(format!("{name}.lock"));
        (self.directory.clone(), path)
    }
}

fn try_acquire(directory: PathBuf, path: PathBuf) -> io::Result<Option<Lock>> {
    create_private(&directory)?;
    let file = open_private(&path, true)?;
    let is_held = flock::try_lock(&file)? && flock::is_at(&file, &path);
    Ok(is_held.then_some(Lock {
        directory,
        path,
        file,
    }))
}

fn acquire(directory: PathBuf, path: PathBuf, waiting: impl FnOnce()) -> io::Result<Turn> {
    let mut waiting = Some(waiting);
    loop {
        create_private(&directory)?;
        let mut file = match open_private(&path, true) {
            Ok(file) => file,
            // Another process has removed the directory with its last lock.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if !flock::try_lock(&file)? {
            if let Some(waiting) = waiting.take() {
                waiting();
            }
            flock::lock(&file)?;
        }
        if flock::is_at(&file, &path) {
            // The holder was killed before it unlinked the file.
            file.set_len(0)?;
            return Ok(Turn::Held(Lock {
                directory,
                path,
                file,
            }));
        }
        let mut note = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut note)?;
        if !note.is_empty() {
            return Ok(Turn::Left(note));
        }
    }
}

impl Lock {
    /// Leaves a note for the processes that wait now, and releases the lock.
    pub(super) fn leave_note(mut self, note: &[u8]) {
        // A process without the note finds the reason by itself.
        if self.file.write_all(note).is_err() {
            let _ = self.file.set_len(0);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If this fails, only an empty file stays behind.
        let _ = std::fs::remove_file(&self.path);
        let directory = std::mem::take(&mut self.directory);
        Locks { directory }.sweep();
    }
}

/// Unlinks the files of locks without a holder.
fn sweep(directory: &Path) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if let Ok(file) = open_private(&path, false)
            && flock::try_lock(&file).unwrap_or(false)
            && flock::is_at(&file, &path)
        {
            let _ = std::fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    fn held(directory: &Path) -> Lock {
        let turn = acquire(directory.to_owned(), directory.join("a.lock"), || ());
        match turn.expect("a lock") {
            Turn::Held(lock) => lock,
            Turn::Left(note) => panic!("left {note:?}"),
        }
    }

    fn directory(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("seatrial-locks-{}-{name}", std::process::id()))
    }

    #[test]
    fn one_holder_at_a_time_and_nothing_is_left() {
        let directory = directory("exclusive");
        let inside = Arc::new(AtomicBool::new(false));
        let rounds = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (directory, inside, rounds) =
                    (directory.clone(), Arc::clone(&inside), Arc::clone(&rounds));
                std::thread::spawn(move || {
                    for _ in 0..200 {
                        let lock = held(&directory);
                        assert!(!inside.swap(true, Ordering::SeqCst), "two holders");
                        rounds.fetch_add(1, Ordering::SeqCst);
                        inside.store(false, Ordering::SeqCst);
                        drop(lock);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no two holders");
        }
        assert_eq!(rounds.load(Ordering::SeqCst), 1600);
        assert!(!directory.exists(), "the directory is left");
    }

    #[test]
    fn only_those_who_wait_are_told() {
        let directory = directory("told");
        let lock = held(&directory);
        let (waits, is_waiting) = std::sync::mpsc::channel();
        let in_thread = directory.clone();
        let waiter = std::thread::spawn(move || {
            let path = in_thread.join("a.lock");
            acquire(in_thread, path, move || {
                waits.send(()).expect("the test waits")
            })
        });
        is_waiting.recv().expect("the other thread waits");
        lock.leave_note(b"no use");
        match waiter.join().expect("no panic").expect("its turn") {
            Turn::Left(note) => assert_eq!(note, b"no use"),
            Turn::Held(_) => panic!("it was not told"),
        }
        drop(held(&directory));
        assert!(!directory.exists(), "the directory is left");
    }

    #[test]
    fn a_file_that_a_killed_process_left_is_removed() {
        let directory = directory("left");
        create_private(&directory).expect("a directory");
        std::fs::write(directory.join("dead.lock"), "").expect("a file");
        std::fs::write(directory.join("a.lock"), "half a wo").expect("a file");
        drop(held(&directory));
        assert!(!directory.exists(), "the dead lock is left");

        create_private(&directory).expect("a directory");
        std::fs::write(directory.join("dead.lock"), "").expect("a file");
        let lock = held(&directory);
        std::fs::write(directory.join("dead.lock"), "").expect("a file");
        let locks = Locks::at(directory.clone());
        locks.sweep();
        let left = std::fs::read_dir(&directory).expect("a directory").count();
        drop(lock);
        assert_eq!(left, 1, "the one that is held");
        assert!(!directory.exists(), "a lock is left");
        locks.sweep();
    }
}
