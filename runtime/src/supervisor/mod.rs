//! The supervisor: owner of every container of a run.
//!
//! One task owns the [`table`] of clients, instances and leases; everyone else sends it messages, a client through its
//! connection, the supervisor's own tasks as [`messages::Internal`]. Each instance of a service is a task of its own that
//! brings it up, serves what is asked of it, and takes it down. Nothing here knows whose process it runs in, but for
//! [`in_process`] and `process`.
//!
//! What is imported lies below, from the bottom up: messages and other data, diagnosis, what is on the engine and who removes
//! it, the context that instances share, an instance, the table.

mod builds;
mod content;
mod context;
mod diagnosis;
mod error_context;
mod events;
mod exits;
mod head;
mod host_files;
mod host_ports;
mod identity;
mod in_process;
mod instance;
mod journal;
mod lines;
mod links;
mod messages;
mod network;
mod once;
mod owner;
mod ports;
#[cfg(target_os = "linux")]
pub(crate) mod process;
mod reaper;
mod spec;
mod streams;
mod sweep;
mod table;
mod tmpfs;
mod volumes;

#[cfg(test)]
mod tests;

pub(crate) use identity::Role;
pub(crate) use in_process::run;
#[cfg(any(test, fuzzing))]
pub(crate) use lines::fuzzing;
