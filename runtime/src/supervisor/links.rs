//! Resolves the paths of files that are written into a container. An image may have links on the way, such as
//! `/var/run` to `/run`, and something may be mounted at their target.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::head::{self, Head};
use crate::Error;
use crate::engine::Engine;
use crate::files::{self, Place};
use crate::protocol::{Mounted, MountedKind};

/// The number of links that are followed. Linux follows as many.
const LINKS: usize = 40;

/// The links of images, by image id and path. Each look takes milliseconds.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<(String, PathBuf), Option<PathBuf>>>);

/// The links of a container.
#[derive(Clone, Copy)]
pub(super) struct Links<'a> {
    pub(super) engine: &'a Engine,
    pub(super) container: &'a str,
    /// The image, if the container has not been started yet: all such containers have the same links.
    pub(super) image: Option<(&'a Seen, &'a str)>,
}

impl Links<'_> {
    /// Checks that a path, with links on the way, does not lead to where something is mounted.
    ///
    /// # Errors
    ///
    /// Returns an error with the path, its real path and the mount.
    pub(super) async fn check(self, to: &str, mounted: &[Mounted]) -> Result<(), Error> {
        // An image has no links to where the source is mounted.
        let may_be_reached =
            |mounted: &Mounted| matches!(mounted.kind, MountedKind::Tmpfs | MountedKind::Mount);
        let to = Path::new(to);
        let (Some(directory), Some(name)) = (to.parent(), to.file_name()) else {
            return Ok(());
        };
        if !mounted.iter().any(may_be_reached) {
            return Ok(());
        }
        // A file replaces a link at its own path.
        let real = self.real(directory).await.join(name);
        let mut places = Vec::new();
        for mounted in mounted {
            let at = Path::new(&mounted.at);
            let real = match may_be_reached(mounted) {
                true => self.real(at).await,
                false => at.to_owned(),
            };
            places.push(Place { mounted, real });
        }
        files::check_place(to, &real, &places)
    }

    /// The real path of a path.
    pub(super) async fn real(self, path: &Path) -> PathBuf {
        let mut way = Way::to(path);
        while let Some(path) = way.next() {
            way.leads(self.link(path).await);
        }
        way.at
    }

    /// The target of the link at a path, if it is a link.
    async fn link(self, path: PathBuf) -> Option<PathBuf> {
        let Some((seen, image)) = self.image else {
            return self.look(&path).await;
        };
        let seen = || seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (image.to_owned(), path);
        let before = seen().get(&key).cloned();
        if let Some(link) = before {
            return link;
        }
        let link = self.look(&key.1).await;
        seen().insert(key, link.clone());
        link
    }

    async fn look(self, path: &Path) -> Option<PathBuf> {
        match head::look(self.engine, self.container, path.to_str()?).await {
            Head::Entry(entry) => entry.link,
            Head::Nothing | Head::Unknown => None,
        }
    }
}

/// The part of a path that was resolved, from the root.
struct Way {
    at: PathBuf,
    left: VecDeque<OsString>,
    links: usize,
}

impl Way {
    fn to(path: &Path) -> Self {
        Self {
            at: PathBuf::from("/"),
            left: parts(path).into(),
            links: 0,
        }
    }

    /// The next path that may be a link. The caller resolves it with [`leads`](Self::leads).
    fn next(&mut self) -> Option<PathBuf> {
        while self.left.front().is_some_and(|part| part == "..") {
            self.left.pop_front();
            self.at.pop();
        }
        Some(self.at.join(self.left.front()?))
    }

    fn leads(&mut self, link: Option<PathBuf>) {
        let Some(part) = self.left.pop_front() else {
            return;
        };
        match link {
            Some(target) if self.links < LINKS => {
                self.links += 1;
                if target.is_absolute() {
                    self.at = PathBuf::from("/");
                }
                for part in parts(&target).into_iter().rev() {
                    self.left.push_front(part);
                }
            }
            _ => self.at.push(part),
        }
    }
}

fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(path: &str) -> PathBuf {
        let mut way = Way::to(Path::new(path));
        while let Some(path) = way.next() {
            let target = match path.to_str().expect("plain") {
                "/var/run" => Some("/run"),
                "/var/lock" => Some("../run/lock"),
                "/run/app" => Some("other/./deep"),
                "/loop" => Some("/loop"),
                "/top" => Some("../../.."),
                _ => None,
            };
            way.leads(target.map(PathBuf::from));
        }
        way.at
    }

    #[test]
    fn links_on_the_way_are_followed() {
        for (path, real) in [
            ("/", "/"),
            ("/var/lib/data", "/var/lib/data"),
            ("/var/run", "/run"),
            ("/var/run/a/b", "/run/a/b"),
            ("/var/lock/a", "/run/lock/a"),
            ("/var/run/app/a", "/run/other/deep/a"),
            ("/top/etc", "/etc"),
            ("/loop/a", "/loop/a"),
        ] {
            assert_eq!(leads(path), Path::new(real), "{path}");
        }
    }
}
