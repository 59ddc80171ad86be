//! A run: the one that this process belongs to, and its one supervisor, which is found or started.
//!
//! This module owns everything up to the connection and its end. It must not know the messages. It works on Linux only: on other
//! systems, its functions return an error, and the supervisor stays in the test process.

#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "elsewhere nothing is asked about other processes")
)]
pub(crate) mod process;

mod error;
mod membership;
mod owner;

#[cfg(target_os = "linux")]
mod directory;
#[cfg(target_os = "linux")]
mod election;
#[cfg(target_os = "linux")]
mod end;
#[cfg(target_os = "linux")]
mod identity;
#[cfg(target_os = "linux")]
mod intercept;
#[cfg(target_os = "linux")]
mod peer;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod startup;
#[cfg(target_os = "linux")]
mod station;
#[cfg(target_os = "linux")]
mod sweep;
#[cfg(all(test, target_os = "linux"))]
mod tests;
#[cfg(not(target_os = "linux"))]
mod unsupported;

pub(crate) use self::error::StartError;
pub(crate) use self::membership::{Connection, Run};
pub(crate) use self::owner::{Life, Owner};
#[cfg(not(target_os = "linux"))]
pub(crate) use self::unsupported::{connect, connect_to_keeper, find_keeper};
#[cfg(target_os = "linux")]
pub(crate) use self::{
    directory::Log,
    election::{connect, connect_to_keeper, find_keeper},
    intercept::intercept,
    startup::Startup,
    station::Station,
};
