//! Integration tests with real services.

mod client;
mod composition;
mod config;
mod engine;
mod error;
mod files;
mod images;
mod logs;
mod operation;
mod private;
mod protocol;
mod readiness;
mod service;
mod supervisor;
mod terminal;
mod test_run;
mod workspace;

pub use composition::Composition;
pub use error::{Error, ErrorKind};
pub use logs::LogLines;
pub use operation::Operation;
pub use protocol::{ExecOutput, LogLine};
pub use seatrial_macros::{Composition, test};

pub use service::{PortKey, Service};

#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}
