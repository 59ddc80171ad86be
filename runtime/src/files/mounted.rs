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
    if let Some(innermost) = over(&to, mounted) {
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

/// Whether a file can be written to a path in a container that has these mounted.
///
/// # Errors
///
/// As those of [`check_mounts`].
pub(super) fn check_mounts_of_file(to: &str, mounted: &[Mounted]) -> Result<(), Error> {
    let to: PathBuf = Path::new(to).components().collect();
    match over(&to, mounted) {
        Some(innermost) => Err(refused(
            &format!("cannot write `{}`", to.display()),
            innermost,
        )),
        None => Ok(()),
    }
}

/// The tmpfs that is mounted over a path.
pub(super) fn tmpfs_over<'a>(path: &str, mounted: &'a [Mounted]) -> Option<&'a Mounted> {
    let path: PathBuf = Path::new(path).components().collect();
    over(&path, mounted).filter(|mounted| mounted.kind == MountedKind::Tmpfs)
}

/// Something that is mounted, and where the links of the image lead from its path.
pub(crate) struct Place<'a> {
    pub(crate) mounted: &'a Mounted,
    pub(crate) real: PathBuf,
}

/// Whether something can be written to a path that leads, over links of the image, to another.
///
/// # Errors
///
/// As those of [`check_mounts`].
pub(crate) fn check_place(to: &Path, real: &Path, places: &[Place<'_>]) -> Result<(), Error> {
    let over = places.iter().filter(|place| real.starts_with(&place.real));
    match over.max_by_key(|place| place.real.as_os_str().len()) {
        Some(innermost) if innermost.mounted.kind != MountedKind::Volume => {
            let what = format!("cannot write to {}", with_links(to, real));
            let at = with_links(Path::new(&innermost.mounted.at), &innermost.real);
            Err(refused_at(&what, innermost.mounted.kind, &at))
        }
        _ => Ok(()),
    }
}

fn with_links(path: &Path, real: &Path) -> String {
    match path == real {
        true => format!("`{}`", path.display()),
        false => format!(
            "`{}` (by the image's links `{}`)",
            path.display(),
            real.display()
        ),
    }
}

/// What is mounted over a path, unless that is a volume: of mounts in mounts the innermost gets what is copied.
fn over<'a>(to: &Path, mounted: &'a [Mounted]) -> Option<&'a Mounted> {
    let over = mounted.iter().filter(|mounted| to.starts_with(&mounted.at));
    let innermost = over.max_by_key(|mounted| mounted.at.len())?;
    (innermost.kind != MountedKind::Volume).then_some(innermost)
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
    refused_at(what, mounted.kind, &format!("`{}`", mounted.at))
}

fn refused_at(what: &str, kind: MountedKind, at: &str) -> Error {
    let (noun, why, help) = match kind {
        MountedKind::Source => (
            "the source",
            "it would be written into the source tree of this machine",
            "choose a path outside of it, or change the files on this machine",
        ),
        MountedKind::Mount => (
            "the mount",
            "it would be written into files of this machine",
            "choose a path outside of it, or change what is mounted on this machine",
        ),
        MountedKind::Tmpfs => (
            "the tmpfs",
            "the engine writes below it, where it would be hidden",
            "choose a path outside of it and have a command move it there (`exec`), or declare a `volume(..)` in its place",
        ),
        MountedKind::Engines | MountedKind::Volume => (
            "what the engine mounts",
            "it would be hidden",
            "choose a path outside of it",
        ),
    };
    let what = format!("{what}, which reaches {noun} at {at}: {why}");
    Error::new(ErrorKind::Files, what).with(|report| report.help = Some(help.to_owned()))
}
