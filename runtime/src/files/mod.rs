//! Packing this machine's files for a container, and unpacking what comes back, both as `cp -a` copies: links stay links,
//! modes and times are kept. Every entry is either copied or named in an error.

mod left_out;
mod mounted;
mod pack;
#[cfg(test)]
mod tests;
mod unpack;

use std::fs;
use std::path::{Component, Path};

pub(crate) use self::left_out::LeftOut;
use self::left_out::cannot_read;
pub(crate) use self::mounted::{Place, check_mounts, check_place};
pub(crate) use self::pack::{pack, pack_texts};
pub(crate) use self::unpack::unpack;
use crate::{Error, ErrorKind};

/// Whether `from` is there and `to` is a path to copy it to.
pub(crate) fn check(from: &Path, to: &str) -> Result<(), Error> {
    if !to.starts_with('/') {
        return Err(Error::new(
            ErrorKind::Files,
            format!("`{to}` is no absolute path; write where in the container the copy goes"),
        ));
    }
    let up = Component::ParentDir;
    if Path::new(to).components().any(|part| part == up) {
        return Err(Error::new(
            ErrorKind::Files,
            format!("the path `{to}` has a `..`; write where in the container that leads"),
        ));
    }
    fs::symlink_metadata(from)
        .map(drop)
        .map_err(cannot_read(from))
}
