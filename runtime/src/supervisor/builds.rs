//! The image builds under way, so that nothing is left of a build that is cut short.
//!
//! The journal has what they have made. What dead supervisors' builds have made stays until the end of the run, as this
//! run usually builds the same image and continues from there.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::journal::Journal;
use super::reaper::Reaper;
use crate::engine::{Engine, EngineError};
use crate::images::{self, unfinished};

/// What unfinished builds have made, by build.
pub(super) struct Builds {
    journal: Journal,
    under_way: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Builds {
    pub(super) fn new(journal: Journal) -> Self {
        Self {
            journal,
            under_way: Mutex::default(),
        }
    }

    /// Removes what unfinished builds have made, after all builds have ended. What cannot be removed stays in the
    /// journal.
    pub(super) async fn close(&self, engine: &Engine, reaper: &Reaper) {
        let cut_short = std::mem::take(&mut *self.under_way());
        for (build, images) in cut_short {
            if let Ok(true) = remove(engine, reaper, &build, &images).await {
                self.forget(&build, images);
            }
        }
    }

    fn forget(&self, build: &str, images: Vec<String>) {
        for image in images {
            self.journal.removed(&thing(build, &image));
        }
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<String, Vec<String>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl images::Builds for Builds {
    fn made(&self, build: &str, image: &str) {
        self.journal.created(&thing(build, image));
        let mut under_way = self.under_way();
        under_way
            .entry(build.to_owned())
            .or_default()
            .push(image.to_owned());
    }

    fn ended(&self, build: &str) {
        let ended = self.under_way().remove(build);
        self.forget(build, ended.unwrap_or_default());
    }
}

/// Removes what an unfinished build has made. Returns `false` if somebody builds the same image now.
///
/// # Errors
///
/// Returns the engine's error of the last attempt.
pub(super) async fn remove(
    engine: &Engine,
    reaper: &Reaper,
    build: &str,
    images: &[String],
) -> Result<bool, EngineError> {
    let removal = || unfinished::remove(engine, build, images);
    reaper.persistently(removal).await
}

/// The name of an image of a build in the journal.
fn thing(build: &str, image: &str) -> String {
    format!("image {image} of build {build}")
}

/// The images of a journal, by build.
pub(super) fn of_journal<'a>(
    things: impl Iterator<Item = &'a String>,
) -> BTreeMap<&'a str, Vec<String>> {
    let mut builds: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for thing in things {
        let image = thing.strip_prefix("image ");
        if let Some((image, build)) = image.and_then(|rest| rest.split_once(" of build ")) {
            builds.entry(build).or_default().push(image.to_owned());
        }
    }
    builds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Builds as _;

    #[test]
    fn only_what_has_not_ended_is_in_the_journal() {
        let path = std::env::temp_dir().join(format!("seatrial-builds-{}", std::process::id()));
        let owner = "boot/1/2/namespace/machine".parse().expect("an owner");
        let builds = Builds::new(Journal::open(&path, owner).expect("a file"));
        for (build, image) in [("one", "a"), ("two", "b"), ("one", "c"), ("three", "d")] {
            builds.made(build, image);
        }
        builds.ended("two");
        builds.ended("none");
        let left = super::super::journal::parse(&std::fs::read(&path).expect("a file"));
        std::fs::remove_file(&path).expect("a file");
        let of_builds = of_journal(left[0].things.keys());
        let expected = [
            ("one", vec!["a".to_owned(), "c".to_owned()]),
            ("three", vec!["d".to_owned()]),
        ];
        assert_eq!(of_builds, expected.into());
        assert_eq!(left[0].under_way().count(), 0, "nothing is waited for");
    }
}
