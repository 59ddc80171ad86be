//! The images that interrupted builds leave on an engine: one without a name for each step that was done.
//!
//! A build that succeeds or fails leaves such images, too. Then they are the engine's cache, as after `docker build`: the next
//! build goes on from there. While a build is under way, a record of them must exist outside its process, because a process that
//! is killed cannot remove them.

use super::lock::Locks;
use crate::engine::{Engine, EngineError};

/// A record of the images that builds have made.
pub(crate) trait Builds: Send + Sync {
    /// Notes that a build has made an image without a name, with this id.
    fn made(&self, build: &str, image: &str);
    /// Notes that a build has succeeded or failed.
    fn ended(&self, build: &str);
}

/// A record that only remembers.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The images by build.
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

/// Removes the images that an interrupted build has made, except those that another image is built on. Returns `false` if another
/// process builds the same image at this moment; then nothing was done.
///
/// # Errors
///
/// The engine does not answer, or a container uses one of the images.
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
    // If the lock cannot be taken, another process may build the image now.
    let Ok(Some(_lock)) = locks.try_acquire(build).await else {
        return Ok(false);
    };
    // Each image is built on another one of them, in an unknown order.
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
