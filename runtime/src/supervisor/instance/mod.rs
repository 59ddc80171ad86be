//! One instance of a service, and its container.
//!
//! A task of its own brings it up, serves its requests, and takes it down (`life.rs`). Each file may only import
//! from the files below it. From the bottom up: orders and phases, the data of an instance, the creation, start, checks
//! and changes of its container, what is served while it waits, its setup, what is served when it is ready. Must not
//! know the table.

mod actions;
mod activity;
mod adoption;
mod checks;
mod creation;
mod exec;
mod inbox;
mod life;
mod meanwhile;
mod one_shot;
mod orders;
mod phase;
mod prober;
mod queries;
mod run_to_end;
mod running;
mod serve;
mod setup;
mod starting;
mod state;
mod status;
mod taker;

pub(super) use activity::Activity;
pub(super) use exec::Exec;
pub(super) use orders::{Command, Order, gone};
pub(super) use phase::{Dependency, Phase};
pub(super) use state::Instance;
pub(super) use taker::{Taken, Taker};
