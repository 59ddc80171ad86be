//! A directory packed for a build, the same bytes for the same content wherever and whenever it was checked out.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::ignore::Ignore;

/// The time that every packed file has, 1980-01-02: a checkout's times differ from machine to machine, and some archive
/// formats know no earlier one.
const TIME: u64 = 315_619_200;

/// Packs the directory as a tar. Files named in `replaced` get that content instead of their own.
///
/// # Errors
///
/// What cannot be read, by its path.
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
        .map_err(|error| format!("{} cannot be packed: {error}", directory.display()))
}

struct Packer<'a> {
    root: &'a Path,
    dockerfile: &'a str,
    ignore: Ignore,
    replaced: &'a BTreeMap<String, Vec<u8>>,
    tar: tar::Builder<Vec<u8>>,
}

impl Packer<'_> {
    /// Packs what is in the directory of that path below the root.
    fn directory(&mut self, path: &mut Vec<String>) -> Result<(), String> {
        let directory = self.root.join(path.join("/"));
        let failed = |error: io::Error| format!("{} cannot be read: {error}", directory.display());
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
        let failed = |error: io::Error| format!("{} cannot be read: {error}", source.display());
        let metadata = std::fs::symlink_metadata(&source).map_err(failed)?;
        // The engine needs these two whatever the second one says.
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
            // Sockets and pipes mean nothing to a build.
            return Ok(());
        }
        let content = match self.replaced.get(&name) {
            Some(content) => content.clone(),
            None => std::fs::read(&source).map_err(failed)?,
        };
        // As version control keeps it: executable or not. The rest is the umask of whoever checked it out.
        let executable = metadata.permissions().mode() & 0o100 != 0;
        header.set_mode(if executable { 0o755 } else { 0o644 });
        header.set_size(content.len() as u64);
        self.tar
            .append_data(&mut header, &name, content.as_slice())
            .map_err(failed)
    }
}
