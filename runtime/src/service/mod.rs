//! The handle of a running service: `handle.rs` is what it is and how it asks the supervisor, the other files are what can be
//! asked, by what it is about.

mod addresses;
mod commands;
mod files;
mod handle;
mod life_cycle;
mod log;
mod weak;

pub use self::addresses::PortKey;
pub use self::commands::Exec;
pub use self::handle::Service;
pub(crate) use self::weak::WeakService;
