//! Why something does not do what it should: the cause, and the next step.
//!
//! What is here looks at what engines say, at containers and at their files. It changes nothing, knows no instance and no
//! run, and decides nothing; its callers attribute to their service what it finds.

mod ended;
mod engine;
mod executing;
mod finding;
pub(super) mod listening;
mod log;
mod not_ready;
mod start;
mod target;

pub(super) use ended::{KILLED, exit_code, how_it_ended};
pub(super) use engine::engine_error;
pub(super) use log::{LOG_LINES, tail};
pub(super) use not_ready::not_ready;
pub(super) use start::{refused, start_failed};
pub(super) use target::{Started, Target};
