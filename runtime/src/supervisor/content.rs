//! The content of one file in a container: where it may be written, and which file a path leads to.

use std::path::Path;

use futures_util::StreamExt as _;

use super::head::{self, Head};
use super::links::Links;
use crate::engine::{Engine, Parts};
use crate::{Error, ErrorKind};

/// Sees that a file can be written to a path: an engine would remove a directory there, with all that is in it.
///
/// # Errors
///
/// A directory is there.
pub(super) async fn check_place(engine: &Engine, container: &str, to: &str) -> Result<(), Error> {
    match head::look(engine, container, to).await {
        Head::Entry(entry) if entry.header.entry_type().is_dir() => {
            let what = format!("cannot write `{to}`: it is a directory");
            Err(Error::new(ErrorKind::Files, what).with(|report| {
                report.help = Some(format!(
                    "name a file in it, such as `{}/file`, or copy a directory there with `copy_in(..)`",
                    to.trim_end_matches('/')
                ));
            }))
        }
        // Whether anything else can be written there, the engine says.
        _ => Ok(()),
    }
}

/// Packs the file that a path leads to. Engines follow links on the way to it, but not one that is at its end.
pub(super) async fn followed(engine: &Engine, container: &str, from: &str) -> Parts<Vec<u8>> {
    let real = match head::look(engine, container, from).await {
        Head::Entry(entry) if entry.link.is_some() => {
            let links = Links {
                engine,
                container,
                image: None,
            };
            links.real(Path::new(from)).await
        }
        _ => from.into(),
    };
    let attempt = format!("read `{from}` in the container");
    // The engine cannot be asked for a path that is not UTF-8. Its error about the link is then as good.
    let packed = engine.download(container, real.to_str().unwrap_or(from));
    Box::pin(packed.map(move |piece| {
        piece.map_err(|mut error| {
            error.attempt.clone_from(&attempt);
            error
        })
    }))
}
