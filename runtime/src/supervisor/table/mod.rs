//! The table of clients, instances and leases. One task owns it; everyone else sends it messages.
//!
//! Decides what lives, for whom and how long, and who gets which answer. Must not do the work of an instance: each
//! instance is a task of its own, which gets its orders and its end from here.

mod attached;
mod clients;
mod family;
mod handover;
mod hooks;
mod inputs;
mod job;
mod keeping;
mod kept;
mod launch;
mod rechecks;
mod requests;
mod room;
mod spares;
mod state;
mod waiting;

pub(super) use state::Supervisor;
