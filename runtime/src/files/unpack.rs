//! From a container to this machine. What comes may be anything: nothing is written outside of where it goes.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use tar::EntryType;

use super::left_out::LeftOut;
use crate::{Error, ErrorKind};

/// Unpacks a tar of the file, directory or link `from` so that it is at `to`. A file that is not whole does not stay. Returns
/// what cannot be unpacked.
pub(crate) fn unpack(tar: impl Read, from: &str, to: &Path) -> Result<LeftOut, Error> {
    unpack_noting(tar, from, to, &mut |_| {})
}

/// The same, and `note` is told of each regular file that was written.
pub(crate) fn unpack_noting(
    mut tar: impl Read,
    from: &str,
    to: &Path,
    note: &mut dyn FnMut(&Path),
) -> Result<LeftOut, Error> {
    let failed = cannot_write(to);
    let mut unpacking = Unpacking {
        from: Path::new(from),
        to,
        note,
        directories: Vec::new(),
        left_out: LeftOut::default(),
    };
    let mut archive = tar::Archive::new(&mut tar);
    let mut is_first = true;
    for entry in archive.entries().map_err(&failed)? {
        let entry = entry.map_err(&failed)?;
        // Not before: where there is nothing to copy, nothing is made.
        if std::mem::take(&mut is_first)
            && let Some(parent) = to.parent()
        {
            fs::create_dir_all(parent).map_err(&failed)?;
        }
        unpacking.entry(entry)?;
    }
    // What comes behind the archive's end is nothing, or the error that ended it.
    io::copy(&mut tar, &mut io::sink()).map_err(&failed)?;
    unpacking.finish_directories()?;
    if is_first {
        unpacking
            .left_out
            .add(from, "of which the engine copies nothing, such as a socket");
    }
    Ok(unpacking.left_out)
}

fn cannot_write(path: &Path) -> impl Fn(io::Error) -> Error {
    move |error| {
        let what = format!("cannot write `{}`: {error}", path.display());
        Error::new(ErrorKind::Files, what)
    }
}

struct Unpacking<'a> {
    from: &'a Path,
    to: &'a Path,
    note: &'a mut dyn FnMut(&Path),
    /// Their modes and times are set last: one may forbid to write into it, and each entry changes its time.
    directories: Vec<(PathBuf, u32, SystemTime)>,
    left_out: LeftOut,
}

impl Unpacking<'_> {
    fn entry(&mut self, mut entry: tar::Entry<'_, impl Read>) -> Result<(), Error> {
        let failed = cannot_write(self.to);
        let path = entry.path().map_err(&failed)?.into_owned();
        let Some(below) = below(&path) else {
            self.left_out.add(path, "whose path leads elsewhere");
            return Ok(());
        };
        let target = join(self.to, &below);
        let failed = cannot_write(&target);
        let kind = entry.header().entry_type();
        let header = (entry.header().mode(), entry.header().mtime());
        let mode = header.0.unwrap_or(0o644) & 0o1777;
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(header.1.unwrap_or(0));
        if let Some(special) = special(kind) {
            self.left_out.add(join(self.from, &below), special);
            return Ok(());
        }
        self.make_way(&below).map_err(&failed)?;
        match kind {
            EntryType::Directory => {
                make_directory(&target).map_err(&failed)?;
                self.directories.push((target.clone(), mode, modified));
            }
            EntryType::Symlink => {
                let leads = entry.link_name().map_err(&failed)?.unwrap_or_default();
                remove_file(&target).map_err(&failed)?;
                symlink(&leads, &target).map_err(&failed)?;
            }
            EntryType::Link => {
                let first = entry.link_name().map_err(&failed)?.unwrap_or_default();
                self.link(&first, &target).map_err(&failed)?;
            }
            _ => {
                remove_file(&target).map_err(&failed)?;
                let mut file = fs::File::create_new(&target).map_err(&failed)?;
                let written = copy_whole(&mut entry, &mut file)
                    .and_then(|()| set_mode(&target, mode))
                    .and_then(|()| file.set_modified(modified));
                if let Err(error) = written {
                    drop(file);
                    // What there is to tell is why.
                    let _ = fs::remove_file(&target);
                    return Err(failed(error));
                }
                (self.note)(&target);
            }
        }
        Ok(())
    }

    /// Sees that what leads to the entry are directories, so that nothing is written through a link.
    fn make_way(&self, below: &Path) -> io::Result<()> {
        let Some(parent) = below.parent() else {
            return Ok(());
        };
        make_directory(self.to)?;
        let mut way = self.to.to_owned();
        for part in parent.components() {
            way.push(part);
            make_directory(&way)?;
        }
        Ok(())
    }

    /// A further name of a file that came before.
    fn link(&self, first: &Path, target: &Path) -> io::Result<()> {
        let Some(below) = below(first) else {
            let what = format!("it is linked to `{}`, outside of the copy", first.display());
            return Err(io::Error::other(what));
        };
        self.make_way(&below)?;
        remove_file(target)?;
        fs::hard_link(join(self.to, &below), target)
    }

    fn finish_directories(&mut self) -> Result<(), Error> {
        for (path, mode, modified) in std::mem::take(&mut self.directories).into_iter().rev() {
            let failed = cannot_write(&path);
            set_directory_time(&path, modified).map_err(&failed)?;
            set_mode(&path, mode).map_err(&failed)?;
        }
        Ok(())
    }
}

/// The path in the tree that is copied, empty for its top. The first component is the name of what was asked for; where it
/// goes takes its place.
fn below(path: &Path) -> Option<PathBuf> {
    let below: PathBuf = path.components().skip(1).collect();
    let mut parts = below.components();
    let stays = parts.all(|part| matches!(part, Component::Normal(_)));
    stays.then_some(below)
}

/// Without the slash at the end that an empty path gives.
fn join(path: &Path, below: &Path) -> PathBuf {
    match below.as_os_str().is_empty() {
        true => path.to_owned(),
        false => path.join(below),
    }
}

/// What it is that means nothing here, or something else.
pub(super) fn special(kind: EntryType) -> Option<&'static str> {
    match kind {
        EntryType::Directory
        | EntryType::Symlink
        | EntryType::Link
        | EntryType::Regular
        | EntryType::Continuous
        | EntryType::GNUSparse => None,
        EntryType::Fifo => Some("a fifo"),
        EntryType::Block | EntryType::Char => Some("a device"),
        _ => Some("of an unknown kind"),
    }
}

/// An existing directory stays. A link to a directory does not count as one.
fn make_directory(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(io::Error::other(
            "it is there and no directory; remove it, or copy to another path",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(path),
        Err(error) => Err(error),
    }
}

/// Makes room for an entry that is not a directory. A link is removed, not its target.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() || metadata.is_symlink() => fs::remove_file(path),
        Ok(metadata) if metadata.is_dir() => Err(io::Error::other(
            "it is a directory; remove it, or copy to another path",
        )),
        Ok(_) => Err(io::Error::other(
            "it is there and no file; remove it, or copy to another path",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn copy_whole(entry: &mut tar::Entry<'_, impl Read>, file: &mut fs::File) -> io::Result<()> {
    let size = entry.size();
    match io::copy(entry, file)? {
        copied if copied == size => Ok(()),
        copied => Err(io::Error::other(format!(
            "only {copied} of {size} bytes came"
        ))),
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn set_directory_time(path: &Path, modified: SystemTime) -> io::Result<()> {
    fs::File::open(path)?.set_modified(modified)
}

#[cfg(not(unix))]
fn set_directory_time(_: &Path, _: SystemTime) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn symlink(leads: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(leads, at)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::other("links cannot be made on this system"))
}
