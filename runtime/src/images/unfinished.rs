//! What builds that are cut short leave on an engine: an image without a name for each step that was done.
//!
//! A build that ends, well or not, leaves those too, but then they are the engine's cache, as after `docker build`: whoever
//! mends the step that failed goes on from there. While it is under way somebody has to know of them, for a process that is
//! killed cannot remove them.

use super::lock::Locks;
use crate::engine::{Engine, EngineError};

/// Knows what the builds that are under way have made.
pub(crate) trait Builds: Send + Sync {
    /// A build has made an image; it has no name, and this id.
    fn made(&self, build: &str, image: &str);
    /// A build has ended, well or not.
    fn ended(&self, build: &str);
}

/// Remembers what builds have made, and which have ended.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// By build.
    pub(super) made: std::sync::Mutex<Vec<(String, String)>>,
    pub(super) ended: std::sync::Mutex<Vec<String>>,
}

#[cfg(test)]
impl Builds for Record {
    fn made(&self, build: &str, image: &str) {
        let made = (build.to_owned(), image.to_owned());
        self.made.lock().expect("no panic").push(made);
    }

    fn ended(&self, build: &str) {
        self.ended.lock().expect("no panic").push(build.to_owned());
    }
}

/// Removes what a build has made that was cut short, but for what another image is built on by now. `false` where somebody
/// builds the same image at this moment, and nothing was done.
///
/// # Errors
///
/// The engine cannot be asked, or one is in use by a container.
pub(crate) async fn remove(
    engine: &Engine,
    build: &str,
    images: &[String],
) -> Result<bool, EngineError> {
    remove_under(&Locks::of_user(), engine, build, images).await
}

pub(super) async fn remove_under(
    locks: &Locks,
    engine: &Engine,
    build: &str,
    images: &[String],
) -> Result<bool, EngineError> {
    // Where locks cannot be had, nobody keeps builds from it, and nothing is certain.
    let Ok(Some(_lock)) = locks.try_acquire(build).await else {
        return Ok(false);
    };
    // Each is built on another of them, and nobody knows which.
    let mut left: Vec<&String> = images.iter().collect();
    loop {
        let before = left.len();
        let mut in_use = Vec::new();
        for image in left {
            if !engine.remove_unused_image(image).await? {
                in_use.push(image);
            }
        }
        left = in_use;
        if left.is_empty() || left.len() == before {
            return Ok(true);
        }
    }
}
