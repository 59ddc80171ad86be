//! The test process's side: one connection to the supervisor, and the leases.
//!
//! Only [`connection`] knows where the supervisor runs. Only [`ending`] knows how a process ends that runs its supervisor itself.

mod binaries;
mod calls;
mod clients;
mod connection;
mod declaration;
mod ending;
mod hooks;
mod jobs;
mod kept;
mod launch;
mod lease;
mod notice;
mod pending;
mod receive;

pub(crate) use self::calls::Client;
pub(crate) use self::declaration::Instances;
pub(crate) use self::jobs::OfLaunch;
pub(crate) use self::launch::Launched;
pub(crate) use self::lease::Lease;
pub(crate) use self::pending::{JobNews, Sending};
