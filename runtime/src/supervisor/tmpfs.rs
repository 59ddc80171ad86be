//! The directories of tmpfs mounts. At each start, runc gives a tmpfs the mode of the directory below it. At the
//! first start it makes a missing directory with a mode for root only. A restart would then take the write permission
//! from the service that it had at first.

use seatrial_model::Tmpfs;

use super::head::{self, Head};
use crate::engine::Engine;

/// Everyone may write, as in `/tmp`.
const MODE: u32 = 0o1777;

/// The directories to make, or to make writable, before a container's first start, as entries of an archive that is
/// unpacked at `/`. A directory of the image keeps its mode if root runs the service, as root may write anyway.
pub(super) async fn directories(
    engine: &Engine,
    container: &str,
    tmpfs: &[Tmpfs],
    user: &str,
) -> Vec<(String, tar::Header)> {
    let mut directories = Vec::new();
    for Tmpfs { at, .. } in tmpfs {
        let below = head::look(engine, container, at).await;
        directories.extend(opened(below, user).map(|header| (at.clone(), header)));
    }
    directories
}

fn opened(below: Head, user: &str) -> Option<tar::Header> {
    let runs_as_root = matches!(user.split(':').next(), Some("" | "0" | "root"));
    let mut header = match below {
        Head::Nothing => {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Directory);
            header.set_size(0);
            header.set_mtime(0);
            header
        }
        Head::Entry(entry) if entry.header.entry_type().is_dir() && !runs_as_root => entry.header,
        // For example a link, or unknown.
        Head::Entry(_) | Head::Unknown => return None,
    };
    header.set_mode(MODE);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::head::Entry;

    #[test]
    fn a_directory_is_opened_that_is_missing_or_that_another_than_root_uses() {
        let directory = || {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(0o755);
            header.set_uid(7);
            Head::Entry(Box::new(Entry {
                header,
                size: 0,
                link: None,
                content: Vec::new(),
            }))
        };
        for root in ["", "0", "root", "0:0", "root:root"] {
            assert!(opened(directory(), root).is_none(), "{root}");
        }
        for user in ["1", "app", "1000:1000"] {
            let header = opened(directory(), user).expect(user);
            assert_eq!(
                (header.mode().ok(), header.uid().ok()),
                (Some(MODE), Some(7))
            );
        }
        for user in ["", "app"] {
            let header = opened(Head::Nothing, user).expect("it is made");
            assert_eq!(header.mode().ok(), Some(MODE));
            assert!(header.entry_type().is_dir());
            assert!(opened(Head::Unknown, user).is_none());
        }
    }
}
