//! The table of clients, instances and leases. One task owns it; everyone else sends it messages.
//!
//! It says what lives, for whom and how long, and who is answered what. What an instance does is the instance's own task's
//! matter, which gets orders from here and is ended from here.

mod attached;
mod clients;
mod hooks;
mod inputs;
mod keeping;
mod kept;
mod launch;
mod rechecks;
mod requests;
mod state;
mod waiting;

pub(super) use state::Supervisor;
