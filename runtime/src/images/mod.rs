//! Images: found on the engine, or pulled, or made. Each image is fetched once, however many callers ask for it.
//!
//! This module owns the sources of an image and their order, which of several callers fetches it, and what the user sees
//! meanwhile. It must not start a container, or remove an image that it fetched: images are a cache, for this run and the next
//! ones.
//!
//! Within this process, the other callers wait for the result of the fetch, also if it is an error. In the user's other processes,
//! they wait for a lock; then they find the image on the engine, or get the error.

mod blocking;
mod built;
mod cache;
mod context;
mod credentials;
mod error;
mod fetch;
#[cfg(test)]
pub(crate) mod fixture;
mod helper;
mod ignore;
mod lock;
mod making;
mod names;
mod platform;
mod program;
mod progress;
mod pull;
mod recipe;
mod screen;
mod script;
#[cfg(test)]
mod tests;
pub(crate) mod unfinished;

pub(crate) use self::cache::Images;
pub(crate) use self::error::ImageError;
pub(crate) use self::platform::go_name;
pub(crate) use self::program::{Group, start as start_program};
pub(crate) use self::progress::{Reporter, Task as ProgressTask};
pub(crate) use self::screen::Screen;
pub(crate) use self::unfinished::Builds;

/// Removes the locks of this user's killed processes.
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
