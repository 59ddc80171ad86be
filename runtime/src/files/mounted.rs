//! What a copy into a container would not reach, or would reach too far: an engine writes below a tmpfs, where the copy is
//! hidden, and through a mount into this machine's files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::protocol::{Mounted, MountedKind};
use crate::{Error, ErrorKind};

/// Whether `from` can be copied to `to` in a container that has these mounted.
///
/// # Errors
///
/// Where any of it would come into, or in the place of, what is mounted; both are named. A volume takes what is copied.
pub(crate) fn check_mounts(from: &Path, to: &str, mounted: &[Mounted]) -> Result<(), Error> {
    let to: PathBuf = Path::new(to).components().collect();
    // Of mounts in mounts the innermost gets what is copied.
    let over = mounted.iter().filter(|mounted| to.starts_with(&mounted.at));
    if let Some(innermost) = over.max_by_key(|mounted| mounted.at.len())
        && innermost.kind != MountedKind::Volume
    {
        let what = format!("cannot copy to `{}`", to.display());
        return Err(refused(&what, innermost));
    }
    for mounted in mounted {
        if mounted.kind != MountedKind::Volume
            && let Ok(below) = Path::new(&mounted.at).strip_prefix(&to)
            && let Some(path) = entry_at(from, below)
        {
            let what = format!("cannot copy `{}` to `{}`", path.display(), to.display());
            return Err(refused(&what, mounted));
        }
    }
    Ok(())
}

/// What of `from` would be at, or take the place of what leads to, the path `below` its copy.
fn entry_at(from: &Path, below: &Path) -> Option<PathBuf> {
    let mut path = from.to_owned();
    for part in below.components() {
        if !fs::symlink_metadata(&path).ok()?.is_dir() {
            return Some(path);
        }
        path.push(part);
    }
    fs::symlink_metadata(&path).is_ok().then_some(path)
}

fn refused(what: &str, mounted: &Mounted) -> Error {
    let at = &mounted.at;
    let (noun, why, help) = match mounted.kind {
        MountedKind::Source => (
            "the source",
            "it would be written into the source tree of this machine",
            "copy to a path outside of it, or change the files on this machine",
        ),
        MountedKind::Mount => (
            "the mount",
            "it would be written into files of this machine",
            "copy to a path outside of it, or change what is mounted on this machine",
        ),
        MountedKind::Tmpfs => (
            "the tmpfs",
            "the engine writes below it, where it would be hidden",
            "copy to a path outside of it and have a command move it there (`exec`), or declare a `volume(..)` in its place",
        ),
        MountedKind::Engines | MountedKind::Volume => (
            "what the engine mounts",
            "it would be hidden",
            "copy to a path outside of it",
        ),
    };
    let what = format!("{what}, which reaches {noun} at `{at}`: {why}");
    Error::new(ErrorKind::Files, what).with(|report| report.help = Some(help.to_owned()))
}
