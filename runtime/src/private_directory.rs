//! Directories and files that only this user may use, in a place where others may write, too. Below the temporary directory, another
//! user may have created a directory with our name first.
//!
//! A directory that others have access to is refused. It must never be repaired.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

/// Creates the directory if it does not exist, and makes sure that nobody else has access to it. Its parent must exist.
///
/// Another process of this user may remove the directory before this returns. Opening a file in it fails then.
///
/// # Errors
///
/// The directory cannot be created, is a symbolic link, belongs to another user, or is accessible to others.
pub(crate) fn create_private(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let metadata = match std::fs::symlink_metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    if metadata.is_dir() && metadata.uid() == user() && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!(
            "{} is not a directory that only this user has access to; remove it",
            directory.display()
        ),
    ))
}

/// Opens a file for reading and writing that only this user may use. A symbolic link is not followed.
pub(crate) fn open_private(path: &Path, create: bool) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// The time since a file was last written. `None` if the clock does not tell.
pub(crate) fn idle(file: &Metadata) -> Option<Duration> {
    file.modified().ok()?.elapsed().ok()
}

/// The user that owns the files of this process.
pub(crate) fn user() -> u32 {
    // SAFETY: geteuid has no preconditions and always succeeds.
    unsafe { libc::geteuid() }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn directory(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("seatrial-private-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_directory_is_created_for_this_user_alone_and_then_accepted() {
        let directory = directory("new");
        let created = create_private(&directory);
        let again = create_private(&directory);
        let mode = std::fs::metadata(&directory).map(|metadata| metadata.mode() & 0o777);
        std::fs::remove_dir(&directory).expect("it is empty");
        created.expect("it is new");
        again.expect("it is this user's");
        assert_eq!(mode.expect("it exists"), 0o700);
    }

    #[test]
    fn a_directory_that_others_may_enter_is_refused() {
        let directory = directory("open");
        DirBuilder::new()
            .mode(0o755)
            .create(&directory)
            .expect("a directory");
        let refused = create_private(&directory);
        std::fs::remove_dir(&directory).expect("it is empty");
        let error = refused.expect_err("others may enter it");
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn symbolic_links_are_refused() {
        let directory = directory("real");
        let link = directory.with_extension("link");
        create_private(&directory).expect("a directory");
        std::os::unix::fs::symlink(&directory, &link).expect("a link");
        let refused = create_private(&link);
        let file = directory.join("file");
        std::os::unix::fs::symlink("/dev/null", &file).expect("a link");
        let opened = open_private(&file, true);
        std::fs::remove_file(&link).expect("a link");
        std::fs::remove_dir_all(&directory).expect("a directory");
        let error = refused.expect_err("it is a link");
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        let error = opened.expect_err("it is a link");
        assert_eq!(error.raw_os_error(), Some(libc::ELOOP));
    }
}
