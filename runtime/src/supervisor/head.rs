//! What is at a path of a container, running or not. The engine sends an archive whose first entry is the one at
//! the path. The rest is not read.

use std::io::Read as _;
use std::path::PathBuf;

use futures_util::StreamExt as _;

use crate::engine::{Engine, EngineErrorKind};

/// How much of an archive is read for its first header, including headers that may come before it.
const HEADERS: usize = 8 * 1024;

/// What is at a path.
pub(super) enum Head {
    Nothing,
    Entry(Box<Entry>),
    /// Unknown.
    Unknown,
}

/// A file, a directory or a link.
pub(super) struct Entry {
    pub(super) header: tar::Header,
    /// The size, also if it is too large for the header.
    pub(super) size: u64,
    /// The target of a symbolic link, as written.
    pub(super) link: Option<PathBuf>,
    /// The beginning of a file's content, as far as it was read.
    pub(super) content: Vec<u8>,
}

/// Looks at a path. A link is not followed.
pub(super) async fn look(engine: &Engine, container: &str, at: &str) -> Head {
    read(engine, container, at, 0).await
}

/// The same, with at least this much of a file's content.
pub(super) async fn read(engine: &Engine, container: &str, at: &str, content: usize) -> Head {
    let mut head = Vec::new();
    let mut pieces = engine.download(container, at);
    while head.len() < HEADERS + content {
        match pieces.next().await {
            Some(Ok(piece)) => head.extend(piece),
            Some(Err(error)) if error.kind == EngineErrorKind::NotFound => return Head::Nothing,
            Some(Err(_)) => return Head::Unknown,
            None => break,
        }
    }
    first(&head)
}

fn first(archive: &[u8]) -> Head {
    let mut archive = tar::Archive::new(archive);
    let mut entries = archive.entries().into_iter().flatten();
    let Some(Ok(mut entry)) = entries.next() else {
        return Head::Unknown;
    };
    let link = match entry.header().entry_type() {
        tar::EntryType::Symlink => entry.link_name().ok().flatten(),
        _ => None,
    };
    let link = link.map(|link| link.into_owned());
    let mut content = Vec::new();
    // The archive ends early if it was cut off.
    let _ = entry.read_to_end(&mut content);
    Head::Entry(Box::new(Entry {
        header: entry.header().clone(),
        size: entry.size(),
        link,
        content,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(kind: tar::EntryType, size: u64, link: Option<&str>) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mtime(7);
        let mut builder = tar::Builder::new(Vec::new());
        match link {
            Some(link) => builder.append_link(&mut header, "it", link),
            None => builder.append_data(&mut header, "it", &vec![b'x'; size as usize][..]),
        }
        .expect("a tar");
        builder.into_inner().expect("a tar")
    }

    #[test]
    fn the_first_entry_is_what_was_asked_for() {
        let file = archive(tar::EntryType::Regular, 20_000, None);
        let Head::Entry(entry) = first(&file[..HEADERS]) else {
            panic!("there is one");
        };
        assert_eq!((entry.size, entry.link.as_deref()), (20_000, None));
        assert_eq!(entry.header.mtime().ok(), Some(7));
        assert_eq!(entry.content, vec![b'x'; HEADERS - 512]);
        // A name that is too long for a header has a header of its own.
        for target in ["/run", "../run", &"long/".repeat(60)] {
            let link = archive(tar::EntryType::Symlink, 0, Some(target));
            let Head::Entry(entry) = first(&link) else {
                panic!("there is one");
            };
            assert_eq!(entry.link.as_deref(), Some(target.as_ref()), "{target}");
        }
        for broken in [&[][..], &file[..100]] {
            assert!(matches!(first(broken), Head::Unknown));
        }
    }
}
