//! Packing this machine's files for a container, and unpacking what comes back, both as `cp -a` copies: links stay links,
//! modes and times are kept. Every entry is either copied or named in an error.

mod mounted;
mod pack;
#[cfg(test)]
mod tests;
mod unpack;

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

pub(crate) use mounted::{Place, check_mounts, check_place};
pub(crate) use pack::{pack, pack_texts};
pub(crate) use unpack::unpack;

use crate::{Error, ErrorKind};

/// How many of the entries that were not copied an error names.
const NAMED: usize = 20;

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

fn cannot_read(path: &Path) -> impl Fn(io::Error) -> Error {
    move |error| {
        let what = format!("cannot read `{}`: {error}", path.display());
        Error::new(ErrorKind::Files, what)
    }
}

/// Entries that a copy does not have, each with what it is.
#[derive(Debug, Default)]
#[must_use = "what was not copied is to be told"]
pub(crate) struct LeftOut(Vec<(PathBuf, &'static str)>);

impl LeftOut {
    fn add(&mut self, path: impl Into<PathBuf>, what: &'static str) {
        self.0.push((path.into(), what));
    }

    /// # Errors
    ///
    /// Where anything was left out; it is named.
    pub(crate) fn into_result(self) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let named = self.0.iter().take(NAMED);
        let mut details: Vec<String> = named
            .map(|(path, what)| format!("not copied: `{}`, {what}", path.display()))
            .collect();
        if let Some(more @ 1..) = self.0.len().checked_sub(NAMED) {
            details.push(format!("and {more} more"));
        }
        let what = "some entries cannot be copied; everything else was";
        Err(Error::new(ErrorKind::Files, what).with(|report| {
            report.details = details;
            report.help = Some(
                "copy what lies beside them, or remove them first: only files, directories and links are copied"
                    .to_owned(),
            );
        }))
    }
}
