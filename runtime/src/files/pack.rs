//! From this machine to a container.

use std::collections::HashMap;
use std::fs::{self, FileType, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::left_out::{LeftOut, cannot_read};
use crate::Error;
use crate::protocol::Owner;

/// Packs the file, directory or link `from` so that, unpacked at `/`, it is at the absolute path `to` and the owner's.
/// Returns what cannot be packed.
pub(crate) fn pack(
    from: &Path,
    to: &str,
    owner: Owner,
    into: impl Write,
) -> Result<LeftOut, Error> {
    let inside: PathBuf = Path::new(to).components().skip(1).collect();
    let mut packing = Packing {
        tar: tar::Builder::new(into),
        owner,
        paths: vec![from.to_owned()],
        linked: HashMap::new(),
        left_out: LeftOut::default(),
    };
    while let Some(path) = packing.paths.pop() {
        let at = match path.strip_prefix(from) {
            Ok(below) if !below.as_os_str().is_empty() => inside.join(below),
            _ => inside.clone(),
        };
        packing.append(&path, at).map_err(cannot_read(&path))?;
    }
    let ended = packing.tar.into_inner();
    ended.map_err(cannot_read(from))?;
    Ok(packing.left_out)
}

struct Packing<W: Write> {
    tar: tar::Builder<W>,
    owner: Owner,
    /// Still to be packed.
    paths: Vec<PathBuf>,
    /// Where files are in the archive that have several names, by device and inode.
    linked: HashMap<(u64, u64), PathBuf>,
    left_out: LeftOut,
}

impl<W: Write> Packing<W> {
    /// Packs what is at `path`; what is in a directory is noted as still to be packed.
    fn append(&mut self, path: &Path, at: PathBuf) -> io::Result<()> {
        let metadata = fs::symlink_metadata(path)?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            for entry in fs::read_dir(path)? {
                self.paths.push(entry?.path());
            }
            if at.as_os_str().is_empty() {
                return Ok(());
            }
            let mut header = self.header(&metadata);
            header.set_size(0);
            self.tar.append_data(&mut header, at.join(""), io::empty())
        } else if kind.is_symlink() {
            let leads = fs::read_link(path)?;
            self.append_link(&metadata, tar::EntryType::Symlink, at, &leads)
        } else if kind.is_file() {
            self.append_file(path, at)
        } else {
            self.left_out.add(path, special(kind));
            Ok(())
        }
    }

    fn append_file(&mut self, path: &Path, at: PathBuf) -> io::Result<()> {
        let file = fs::File::open(path)?;
        let metadata = file.metadata()?;
        if let Some(inode) = shared_inode(&metadata) {
            if let Some(first) = self.linked.get(&inode).cloned() {
                return self.append_link(&metadata, tar::EntryType::Link, at, &first);
            }
            self.linked.insert(inode, at.clone());
        }
        let mut header = self.header(&metadata);
        let mut content = Unchanged {
            file,
            left: metadata.len(),
        };
        self.tar.append_data(&mut header, at, &mut content)?;
        match content.file.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(io::Error::other("it became longer while it was read")),
        }
    }

    fn append_link(
        &mut self,
        metadata: &Metadata,
        kind: tar::EntryType,
        at: PathBuf,
        leads: &Path,
    ) -> io::Result<()> {
        let mut header = self.header(metadata);
        header.set_entry_type(kind);
        header.set_size(0);
        self.tar.append_link(&mut header, at, leads)
    }

    fn header(&self, metadata: &Metadata) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_metadata(metadata);
        header.set_uid(self.owner.uid.into());
        header.set_gid(self.owner.gid.into());
        // It would run as another user than the one whose file it was.
        if let Ok(mode) = header.mode() {
            header.set_mode(mode & 0o1777);
        }
        header
    }
}

/// The device and inode of a file that has several names.
#[cfg(unix)]
fn shared_inode(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.nlink() > 1).then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn shared_inode(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// Names the type of an entry that is not a file, directory or link.
#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match kind {
        kind if kind.is_socket() => "a socket",
        kind if kind.is_fifo() => "a fifo",
        kind if kind.is_block_device() || kind.is_char_device() => "a device",
        _ => "of an unknown kind",
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "of an unknown kind"
}

/// A file as long as it was when it was opened: its size stands before its content.
struct Unchanged {
    file: fs::File,
    left: u64,
}

impl Read for Unchanged {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        let read = self.file.read(&mut into[..most])?;
        if read == 0 && most > 0 {
            return Err(io::Error::other("it became shorter while it was read"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Packs directories and texts so that, unpacked at `/`, each is at its absolute path. A text that begins with `#!` is
/// executable.
pub(crate) fn pack_texts<'a>(
    directories: Vec<(String, tar::Header)>,
    files: impl Iterator<Item = (&'a str, Vec<u8>)>,
) -> Vec<u8> {
    const IN_MEMORY: &str =
        "writing to memory does not fail, and the path was checked at compile time";
    let mut tar = tar::Builder::new(Vec::new());
    for (at, mut header) in directories {
        let path = format!("{}/", at.trim_matches('/'));
        tar.append_data(&mut header, path, io::empty())
            .expect(IN_MEMORY);
    }
    for (at, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(if content.starts_with(b"#!") {
            0o755
        } else {
            0o644
        });
        header.set_mtime(0);
        let path = at.trim_matches('/');
        tar.append_data(&mut header, path, &content[..])
            .expect(IN_MEMORY);
    }
    tar.into_inner().expect("writing to memory does not fail")
}
