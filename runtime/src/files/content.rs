//! One file whose content is in memory: packed for a container, and unpacked of what comes back.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tar::EntryType;

use super::mounted::{check_mounts_of_file, tmpfs_over};
use super::path::check_path;
use super::unpack;
use crate::protocol::{Mounted, Owner};
use crate::{Error, ErrorKind};

/// The mode of a file that is written: its owner may change it, and everyone may read it.
const MODE: u32 = 0o644;

/// Whether a file can be written to the path `to` of a container that has these mounted.
pub(crate) fn check_writable(to: &str, mounted: &[Mounted]) -> Result<(), Error> {
    check_path(to, "the file goes")?;
    if to.ends_with('/') {
        let what = format!("the path `{to}` names a directory; write the file's name behind it");
        return Err(Error::new(ErrorKind::Files, what));
    }
    check_mounts_of_file(to, mounted)
}

/// Whether the file at the path `from` of a container that has these mounted can be read.
pub(crate) fn check_readable(from: &str, mounted: &[Mounted]) -> Result<(), Error> {
    check_path(from, "the file is")?;
    let Some(tmpfs) = tmpfs_over(from, mounted) else {
        return Ok(());
    };
    let what = format!(
        "cannot read `{from}`: it is in the tmpfs at `{}`, of which the engine sees nothing",
        tmpfs.at
    );
    Err(Error::new(ErrorKind::Files, what).with(|report| {
        report.help = Some(format!(
            "have a command print it: `exec([\"cat\", \"{from}\"])`"
        ));
    }))
}

/// Packs a file with this content so that, unpacked at `/`, it is at the absolute path `to` and the owner's.
pub(crate) fn pack_content(
    content: &[u8],
    to: &str,
    owner: Owner,
    into: impl Write,
) -> io::Result<()> {
    let inside: PathBuf = Path::new(to).components().skip(1).collect();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(content.len() as u64);
    header.set_mode(MODE);
    header.set_mtime(now.map_or(0, |now| now.as_secs()));
    header.set_uid(owner.uid.into());
    header.set_gid(owner.gid.into());
    let mut tar = tar::Builder::new(into);
    tar.append_data(&mut header, inside, content)?;
    tar.into_inner().map(drop)
}

/// The content of the file `from`, of which this is a tar.
pub(crate) fn unpack_content(mut tar: impl Read, from: &str) -> Result<Vec<u8>, Error> {
    let failed =
        |error: io::Error| Error::new(ErrorKind::Files, format!("cannot read `{from}`: {error}"));
    let mut content = Vec::new();
    let mut archive = tar::Archive::new(&mut tar);
    let Some(entry) = archive.entries().map_err(failed)?.next() else {
        // Engines pack nothing of what they cannot pack.
        return Err(not_a_file(
            from,
            "of a kind that has no content, such as a socket",
        ));
    };
    let mut entry = entry.map_err(failed)?;
    match entry.header().entry_type() {
        EntryType::Directory => return Err(a_directory(from)),
        EntryType::Symlink => return Err(not_a_file(from, "a link that leads to no file")),
        kind => {
            if let Some(special) = unpack::special(kind) {
                return Err(not_a_file(from, special));
            }
        }
    }
    let size = entry.size();
    entry.read_to_end(&mut content).map_err(failed)?;
    drop(entry);
    // What comes behind the archive's end is nothing, or the error that ended it.
    io::copy(&mut tar, &mut io::sink()).map_err(failed)?;
    match content.len() as u64 {
        read if read == size => Ok(content),
        read => Err(failed(io::Error::other(format!(
            "only {read} of {size} bytes came"
        )))),
    }
}

fn not_a_file(from: &str, what: &str) -> Error {
    let what = format!("cannot read `{from}`: it is {what}");
    Error::new(ErrorKind::Files, what)
        .with(|report| report.help = Some("name a file, or a link that leads to one".to_owned()))
}

fn a_directory(from: &str) -> Error {
    let what = format!("cannot read `{from}`: it is a directory");
    Error::new(ErrorKind::Files, what).with(|report| {
        report.help = Some(format!(
            "name a file in it, or copy all of it to this machine with `copy_out(\"{from}\", ..)`"
        ));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut tar = Vec::new();
        pack_content(content, "/srv/file", Owner::default(), &mut tar).expect("it is packed");
        tar
    }

    #[test]
    fn a_content_comes_back_whole_or_not_at_all() {
        for size in [0, 1, 511, 512, 513, 100_000] {
            let content = vec![7; size];
            let tar = packed(&content);
            assert_eq!(unpack_content(&tar[..], "/srv/file"), Ok(content));
            if size > 0 {
                let cut = unpack_content(&tar[..512 + size / 2], "/srv/file");
                let error = cut.expect_err("it breaks off").to_string();
                assert!(error.contains("cannot read `/srv/file`: "), "{error}");
            }
        }
        let nothing = unpack_content(&[0; 1024][..], "/srv/socket").expect_err("nothing");
        assert!(
            nothing.to_string().contains("such as a socket"),
            "{nothing}"
        );
    }
}
