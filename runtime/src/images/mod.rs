//! Images: found on the engine, else pulled, else made; once per image, however many ask.
//!
//! This module owns where an image comes from and in which order places are asked, who may fetch it when several ask,
//! and what the user sees meanwhile. It starts no container, and it removes no image that it got: those are a cache, for this
//! run and the next ones.
//!
//! One fetch per image, within this process (the others wait for its result, also where that is an error) and among
//! the user's processes (the others wait for a lock, then find the image on the engine, or are told the error).

mod blocking;
mod cache;
mod context;
mod credentials;
mod dockerfile;
mod error;
mod fallback;
mod fetch;
#[cfg(test)]
pub(crate) mod fixture;
mod helper;
mod ignore;
mod lock;
mod names;
mod platform;
mod program;
mod progress;
mod pull;
mod screen;
mod script;
#[cfg(test)]
mod tests;
pub(crate) mod unfinished;

pub(crate) use self::cache::Images;
pub(crate) use self::error::ImageError;
pub(crate) use self::platform::go_name;
pub(crate) use self::screen::Screen;
pub(crate) use self::unfinished::Builds;

/// Removes the locks that killed processes of this user left.
#[cfg_attr(
    not(target_os = "linux"),
    expect(
        dead_code,
        reason = "done by supervisors in processes of their own, which are on Linux only"
    )
)]
pub(crate) fn sweep_locks() {
    lock::Locks::of_user().sweep();
}
