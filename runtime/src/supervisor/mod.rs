//! The supervisor: owner of every container of a run.
//!
//! One task owns the [`table`] of clients, instances and leases. Everyone else sends it messages: a client through
//! its connection, the supervisor's own tasks as [`messages::Internal`]. Each instance of a service is a task of its
//! own that brings the service up, handles requests, and takes it down. Only [`in_process`] and `process` may know in
//! which process the supervisor runs.
//!
//! Files may only import from files below them. From the bottom up: messages and other data, diagnosis, what is on the
//! engine and its removal, the context of instances, an instance, the table.

mod artifacts;
mod binaries;
mod builds;
mod content;
mod context;
mod diagnosis;
mod error_context;
mod events;
mod exits;
mod freshness;
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
mod namespaces;
mod network;
mod once;
mod owner;
mod ports;
#[cfg(target_os = "linux")]
pub(crate) mod process;
mod reachability;
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
pub(crate) use spec::redactor;
