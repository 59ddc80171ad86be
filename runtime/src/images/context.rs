//! Packs a directory for a build. The same content gives the same bytes, wherever and whenever it was checked out.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::ignore::Ignore;

/// The time of every packed file, 1980-01-02. The times of a checkout differ between machines, and some archive formats have no
/// earlier time.
const TIME: u64 = 315_619_200;

/// Packs the directory as a tar. The files named in `replaced` get the content given there.
///
/// # Errors
///
/// Something cannot be read; the message has its path.
pub(super) fn pack(
    directory: &Path,
    dockerfile: &str,
    replaced: &BTreeMap<String, Vec<u8>>,
) -> Result<Vec<u8>, String> {
    let ignore = match std::fs::read_to_string(directory.join(".dockerignore")) {
        Ok(text) => Ignore::parse(&text),
        Err(_) => Ignore::default(),
    };
    let mut packer = Packer {
        root: directory,
        dockerfile,
        ignore,
        replaced,
        tar: tar::Builder::new(Vec::new()),
    };
    packer.directory(&mut Vec::new())?;
    packer
        .tar
        .into_inner()
        .map_err(|error| format!("cannot pack {}: {error}", directory.display()))
}

struct Packer<'a> {
    root: &'a Path,
    dockerfile: &'a str,
    ignore: Ignore,
    replaced: &'a BTreeMap<String, Vec<u8>>,
    tar: tar::Builder<Vec<u8>>,
}

impl Packer<'_> {
    /// Packs the content of the directory with that path below the root.
    fn directory(&mut self, path: &mut Vec<String>) -> Result<(), String> {
        let directory = self.root.join(path.join("/"));
        let failed = |error: io::Error| format!("cannot read {}: {error}", directory.display());
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            names.push(name.into_string().map_err(|name| {
                format!(
                    "the name {} in {} is not UTF-8",
                    name.display(),
                    directory.display()
                )
            })?);
        }
        names.sort();
        for name in names {
            path.push(name);
            let result = self.entry(path);
            path.pop();
            result?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &mut Vec<String>) -> Result<(), String> {
        let name = path.join("/");
        let source = self.root.join(&name);
        let failed = |error: io::Error| format!("cannot read {}: {error}", source.display());
        let metadata = std::fs::symlink_metadata(&source).map_err(failed)?;
        // The engine needs the Dockerfile and `.dockerignore`, even if `.dockerignore` excludes them.
        let needed = name == self.dockerfile || name == ".dockerignore";
        let components: Vec<&str> = path.iter().map(String::as_str).collect();
        let left_out = self.ignore.leaves_out(&components) && !needed;
        let mut header = tar::Header::new_gnu();
        header.set_mtime(TIME);
        header.set_uid(0);
        header.set_gid(0);
        if metadata.is_dir() {
            let wanted_within = self.dockerfile.starts_with(&format!("{name}/"));
            if left_out && !self.ignore.has_exceptions() && !wanted_within {
                return Ok(());
            }
            if !left_out {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(0o755);
                header.set_size(0);
                self.tar
                    .append_data(&mut header, &name, io::empty())
                    .map_err(failed)?;
            }
            return self.directory(path);
        }
        if left_out {
            return Ok(());
        }
        if metadata.is_symlink() {
            let target = std::fs::read_link(&source).map_err(failed)?;
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_mode(0o777);
            header.set_size(0);
            return self
                .tar
                .append_link(&mut header, &name, target)
                .map_err(failed);
        }
        if !metadata.is_file() {
            // A build cannot use sockets and pipes.
            return Ok(());
        }
        let content = match self.replaced.get(&name) {
            Some(content) => content.clone(),
            None => std::fs::read(&source).map_err(failed)?,
        };
        // Version control keeps only whether a file is executable. The rest depends on the umask of the checkout.
        let executable = metadata.permissions().mode() & 0o100 != 0;
        header.set_mode(if executable { 0o755 } else { 0o644 });
        header.set_size(content.len() as u64);
        self.tar
            .append_data(&mut header, &name, content.as_slice())
            .map_err(failed)
    }
}
