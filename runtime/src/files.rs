//! Packing this machine's files for a container, and unpacking what comes back.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use crate::{Error, ErrorKind};

/// Whether `from` is there and `to` is a path to copy it to.
pub(crate) fn check(from: &Path, to: &str) -> Result<(), Error> {
    if !to.starts_with('/') {
        return Err(Error::new(
            ErrorKind::Files,
            format!("`{to}` is no absolute path; write where in the container the copy goes"),
        ));
    }
    fs::metadata(from).map(drop).map_err(cannot_read(from))
}

fn cannot_read(path: &Path) -> impl Fn(io::Error) -> Error {
    move |error| {
        let what = format!("cannot read `{}`: {error}", path.display());
        Error::new(ErrorKind::Files, what)
    }
}

/// Packs the file or directory `from` so that, unpacked at `/`, it is at the absolute path `to`. Symbolic links are
/// followed.
pub(crate) fn pack(from: &Path, to: &str, into: impl Write) -> Result<(), Error> {
    let inside = Path::new(to.trim_matches('/'));
    let mut tar = tar::Builder::new(into);
    let mut paths = vec![from.to_owned()];
    while let Some(path) = paths.pop() {
        let at = match path.strip_prefix(from) {
            Ok(below) if !below.as_os_str().is_empty() => inside.join(below),
            _ => inside.to_owned(),
        };
        append(&mut tar, &path, &at, &mut paths).map_err(cannot_read(&path))?;
    }
    tar.into_inner().map(drop).map_err(cannot_read(from))
}

/// Packs what is at `path`; what is in a directory is noted as still to be packed.
fn append(
    tar: &mut tar::Builder<impl Write>,
    path: &Path,
    at: &Path,
    paths: &mut Vec<PathBuf>,
) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            paths.push(entry?.path());
        }
        match at.as_os_str().is_empty() {
            true => Ok(()),
            false => tar.append_dir(at, path),
        }
    } else if metadata.is_file() {
        append_file(tar, path, at)
    } else {
        tar.append_path_with_name(path, at)
    }
}

fn append_file(tar: &mut tar::Builder<impl Write>, path: &Path, at: &Path) -> io::Result<()> {
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&metadata);
    let mut whole = Whole {
        file,
        left: metadata.len(),
    };
    tar.append_data(&mut header, at, &mut whole)?;
    match whole.file.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::Error::other("it became longer while it was read")),
    }
}

/// A file as long as it was when it was opened: its size stands before its content.
struct Whole {
    file: fs::File,
    left: u64,
}

impl Read for Whole {
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

/// Packs texts so that, unpacked at `/`, each is at its absolute path. A text that begins with `#!` is executable.
pub(crate) fn pack_texts<'a>(files: impl Iterator<Item = (&'a str, Vec<u8>)>) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
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
            .expect("writing to memory does not fail, and the path was checked at compile time");
    }
    tar.into_inner().expect("writing to memory does not fail")
}

/// Unpacks a tar of one file or directory so that it is at `to`. A file that is not whole does not stay.
pub(crate) fn unpack(mut tar: impl Read, to: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| {
        Error::new(
            ErrorKind::Files,
            format!("cannot write `{}`: {error}", to.display()),
        )
    };
    let mut archive = tar::Archive::new(&mut tar);
    let mut is_first = true;
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        // Not before: where there is nothing to copy, nothing is made.
        if std::mem::take(&mut is_first)
            && let Some(parent) = to.parent()
        {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let path = entry.path().map_err(failed)?.into_owned();
        // The first component is the name of what was asked for; `to` takes its place.
        let below: PathBuf = path.components().skip(1).collect();
        if below
            .components()
            .any(|part| !matches!(part, Component::Normal(_)))
        {
            continue;
        }
        let target = if below.as_os_str().is_empty() {
            to.to_owned()
        } else {
            to.join(below)
        };
        let failed = |error: io::Error| {
            let what = format!("cannot write `{}`: {error}", target.display());
            Error::new(ErrorKind::Files, what)
        };
        match entry.header().entry_type() {
            tar::EntryType::Directory => fs::create_dir_all(&target).map_err(failed)?,
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                let mut file = fs::File::create(&target).map_err(failed)?;
                if let Err(error) = copy_whole(&mut entry, &mut file) {
                    drop(file);
                    // What there is to tell is why.
                    let _ = fs::remove_file(&target);
                    return Err(failed(error));
                }
                set_mode(&target, entry.header().mode().unwrap_or(0o644)).map_err(failed)?;
            }
            // Links and devices of a container mean nothing here, or something else.
            _ => {}
        }
    }
    // What comes behind the archive's end is nothing, or the error that ended it.
    io::copy(&mut tar, &mut io::sink()).map_err(failed)?;
    Ok(())
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
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o777))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("seatrial-test-files-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).expect("a directory");
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Changes a file once something of it was written.
    struct Changing(Option<Box<dyn FnOnce()>>, Vec<u8>);

    impl Write for Changing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // The header, and a part of the content.
            if self.1.len() > 2 * 512
                && let Some(change) = self.0.take()
            {
                change();
            }
            self.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_file_that_changes_its_size_is_not_packed() {
        let scratch = Scratch::new("changing");
        let path = scratch.0.join("tree/file");
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        for (size, word) in [(10, "shorter"), (10_000_000, "longer")] {
            fs::write(&path, vec![b'x'; 1_000_000]).expect("a file");
            let file = fs::File::options().write(true).open(&path).expect("a file");
            let change = move || file.set_len(size).expect("another size");
            let into = Changing(Some(Box::new(change)), Vec::new());
            let error = pack(&scratch.0.join("tree"), "/to", into).expect_err("it changes");
            assert_eq!(error.kind(), ErrorKind::Files);
            let text = error.to_string();
            let part = format!(
                "cannot read `{}`: it became {word} while it was read",
                path.display()
            );
            assert!(text.contains(&part), "{text}");
        }
    }

    #[test]
    fn a_file_of_which_only_a_part_comes_does_not_stay() {
        let scratch = Scratch::new("part");
        let (from, to) = (scratch.0.join("from"), scratch.0.join("new/to"));
        fs::write(&from, vec![b'x'; 100_000]).expect("a file");
        let mut tar = Vec::new();
        pack(&from, "/from", &mut tar).expect("it is packed");
        unpack(&tar[..], &to).expect("it is whole");
        assert_eq!(fs::read(&to).expect("a file").len(), 100_000);

        let error = unpack(&tar[..50_000], &to).expect_err("it is not whole");
        let text = error.to_string();
        let part = format!("cannot write `{}`: only ", to.display());
        assert!(text.contains(&part), "{text}");
        assert!(!to.exists());

        fs::remove_dir(scratch.0.join("new")).expect("an empty directory");
        assert!(unpack(&tar[..100], &to).is_err());
        assert!(!scratch.0.join("new").exists(), "there is nothing to copy");
    }
}
