//! One instance of a service, and its container.
//!
//! A task of its own brings it up, serves what is asked of it, and takes it down (`life.rs`). Each file knows only those below
//! it: orders and phases, what an instance is, its container made, started, checked and changed, what is served while it is
//! waited for, its setup, what is served when it is ready. Nothing here knows the table.

mod actions;
mod adoption;
mod beside;
mod checks;
mod creation;
mod doing;
mod exec;
mod inbox;
mod life;
mod meanwhile;
mod orders;
mod phase;
mod prober;
mod queries;
mod running;
mod serve;
mod setup;
mod state;
mod status;

pub(super) use doing::Doing;
pub(super) use exec::Exec;
pub(super) use orders::{Command, Order, gone};
pub(super) use phase::{Dependency, Phase};
pub(super) use state::Instance;
