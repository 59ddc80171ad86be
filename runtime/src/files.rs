//! Packing this machine's files for a container, and unpacking what comes back.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::{Error, ErrorKind};

/// Packs the file or directory `from` so that, unpacked at `/`, it is at the absolute path `to`.
pub(crate) fn pack(from: &Path, to: &str) -> Result<Vec<u8>, Error> {
    if !to.starts_with('/') {
        return Err(Error::new(
            ErrorKind::Files,
            format!("`{to}` is no absolute path; write where in the container the copy goes"),
        ));
    }
    let inside = to.trim_matches('/');
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorKind::Files,
            format!("cannot read `{}`: {error}", from.display()),
        )
    };
    let mut tar = tar::Builder::new(Vec::new());
    let metadata = std::fs::metadata(from).map_err(failed)?;
    if metadata.is_dir() {
        tar.append_dir_all(inside, from).map_err(failed)?;
    } else {
        tar.append_path_with_name(from, inside).map_err(failed)?;
    }
    tar.into_inner().map_err(failed)
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

/// Unpacks a tar of one file or directory so that it is at `to`.
pub(crate) fn unpack(tar: &[u8], to: &Path) -> Result<(), Error> {
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorKind::Files,
            format!("cannot write `{}`: {error}", to.display()),
        )
    };
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
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
        match entry.header().entry_type() {
            tar::EntryType::Directory => std::fs::create_dir_all(&target).map_err(failed)?,
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).map_err(failed)?;
                std::fs::write(&target, content).map_err(failed)?;
                set_mode(&target, entry.header().mode().unwrap_or(0o644)).map_err(failed)?;
            }
            // Links and devices of a container mean nothing here, or something else.
            _ => {}
        }
    }
    Ok(())
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o777))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}
