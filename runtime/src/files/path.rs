//! Which paths can be copied between.

use std::fs;
use std::path::{Component, Path};

use super::left_out::cannot_read;
use crate::{Error, ErrorKind};

/// Whether `from` is there and `to` is a path to copy it to.
pub(crate) fn check(from: &Path, to: &str) -> Result<(), Error> {
    check_path(to, "the copy goes")?;
    fs::symlink_metadata(from)
        .map(drop)
        .map_err(cannot_read(from))
}

/// Whether it is a path in a container; `leads` says what is there.
pub(super) fn check_path(to: &str, leads: &str) -> Result<(), Error> {
    if !to.starts_with('/') {
        return Err(Error::new(
            ErrorKind::Files,
            format!("`{to}` is not an absolute path; write where in the container {leads}"),
        ));
    }
    let up = Component::ParentDir;
    if Path::new(to).components().any(|part| part == up) {
        return Err(Error::new(
            ErrorKind::Files,
            format!("the path `{to}` has a `..`; write where in the container that leads"),
        ));
    }
    Ok(())
}
