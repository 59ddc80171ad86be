//! What a copy does not have, and why a file cannot be read.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind};

/// How many of the entries that were not copied an error names.
const NAMED: usize = 20;

/// The error about this path.
pub(super) fn cannot_read(path: &Path) -> impl Fn(io::Error) -> Error {
    move |error| {
        let what = format!("cannot read `{}`: {error}", path.display());
        let absolute = path.is_relative().then(|| std::path::absolute(path));
        let what = match absolute {
            Some(Ok(absolute)) => format!("{what}; its absolute path is `{}`", absolute.display()),
            _ => what,
        };
        Error::new(ErrorKind::Files, what)
    }
}

/// Entries that a copy does not have, each with what it is.
#[derive(Debug, Default)]
#[must_use = "what was not copied is to be told"]
pub(crate) struct LeftOut(Vec<(PathBuf, &'static str)>);

impl LeftOut {
    pub(super) fn add(&mut self, path: impl Into<PathBuf>, what: &'static str) {
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
