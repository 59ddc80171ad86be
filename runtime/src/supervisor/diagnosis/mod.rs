//! Why something does not work: the cause and the next step.
//!
//! Looks at messages of engines, at containers and at their files. Must not change anything or decide anything, and
//! must not know an instance or a run. Callers attribute the findings to their service.

mod ended;
mod engine;
mod executing;
mod finding;
mod job;
pub(super) mod listening;
mod log;
mod not_ready;
mod start;
mod target;

pub(super) use ended::{KILLED, exit_code, how_it_ended};
pub(super) use engine::engine_error;
pub(super) use job::{JobEnd, job_result};
pub(super) use log::{LOG_LINES, tail};
pub(super) use not_ready::not_ready;
pub(super) use start::{refused, start_failed};
pub(super) use target::{Started, Target};
