//! Integration tests with real services.
//!
//! Declare the services a test depends on, as a tree, in a struct; the compiler checks the tree; a test takes the struct
//! as an argument and finds every service running, ready, wired to the others and with the source mounted. When the last
//! user is gone they are gone too.
//!
//! ```no_run
//! use seatrial::{Composition, Service};
//!
//! /// A database, and a cache in front of it.
//! #[derive(Composition)]
//! struct Storage {
//!     #[service(
//!         image = "mariadb:10.11",
//!         port = 3306,
//!         env(MARIADB_ROOT_PASSWORD = "sea", MARIADB_DATABASE = "shop"),
//!         ready(exec = "mariadb-admin ping -psea"),
//!     )]
//!     db: Service,
//!
//!     #[service(image = "redis:7", port = 6379)]
//!     cache: Service,
//! }
//!
//! #[seatrial::test]
//! async fn an_order_is_stored(storage: Storage) -> Result<(), Box<dyn std::error::Error>> {
//!     let url = format!("mysql://root:sea@{}/shop", storage.db.addr());
//!     // .. use the library under test with it ..
//!     # let _ = url;
//!     Ok(())
//! }
//!
//! #[seatrial::test]
//! fn keys_expire(#[service(image = "redis:7", port = 6379)] cache: Service) {
//!     let pong = cache.exec(["redis-cli", "ping"]).wait().unwrap();
//!     assert_eq!(pong.stdout.trim(), "PONG");
//! }
//! # fn main() {}
//! ```
//!
//! # Where to look
//!
//! * [`derive(Composition)`](derive@Composition): everything a declaration can say.
//! * [`#[seatrial::test]`](macro@test): tests that take compositions and services.
//! * [`Composition`](trait@Composition): launching in tests that other macros write, and without a test.
//! * [`Service`]: addresses, logs, commands, and what can be done to a running service.
//! * [`Operation`]: why everything can be both awaited and waited for.
//! * [`Error`]: what a failure tells.
//!
//! # What it needs
//!
//! A container engine with Docker's API: Docker Engine, Docker Desktop, Colima, OrbStack, Rancher Desktop, or Podman's
//! service. It is found by itself; `SEATRIAL_ENGINE`, `engine` in `seatrial.toml`, `DOCKER_HOST` and docker's contexts
//! are respected, in this order.
//!
//! # Scopes
//!
//! A service lives as long as the test that declares it (`scope = test`, the default), as the test process
//! (`scope = binary`), as the run of `cargo test` or `cargo nextest run` (`scope = run`), whose tests of all packages
//! share it, or longer (`scope = keep`): then later runs find it as the last one has left it, until nobody has used it for
//! its time to live, or its declaration changes. [`kept`] says what there is, [`drop_kept`] removes it. A shared service that is handed to a test is checked again, which takes milliseconds.
//!
//! All of it belongs to a supervisor, a process of its own that the first test process of the run starts from its own
//! executable. However a test process ends (tests that pass, fail or panic, time-outs, Ctrl-C, `exit`, `SIGKILL`), the
//! supervisor removes what lived as long; when the run is over it removes all the rest, and ends. What a supervisor that was
//! killed has left, the next one on the machine removes, in the background. Where there is no Linux, the supervisor is in the
//! test process: `scope = run` and `scope = keep` then are as `scope = binary`, and a process that is killed leaves what it
//! had.
//!
//! A test that must not share asks for instances of its own: `#[composition(scope = test)]` on its parameter.
//!
//! # Features
//!
//! * `progress` (default): progress bars while images are fetched, where standard error is a terminal.

mod answers;
mod client;
mod composition;
mod config;
mod copies;
mod current_test;
mod deadline;
mod declaration;
mod engine;
mod error;
mod executable;
mod failure;
mod failure_report;
mod files;
mod fingerprint;
mod flock;
mod flow;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod images;
mod kept;
mod launched_in_test;
mod logs;
mod operation;
mod output;
mod package;
mod pieces;
mod private;
mod private_directory;
mod protocol;
#[cfg(test)]
mod public_types;
mod readiness;
mod run;
mod service;
mod settings;
mod shown;
mod status;
#[cfg(target_os = "linux")]
mod supervise;
mod supervisor;
mod terminal;
mod test_run;
mod together;
mod visible;
mod wire;
mod wording;
mod workspace;

pub use answers::{ExecOutput, KeptService, LogLine};
pub use composition::Composition;
pub use error::{Error, ErrorKind};
pub use kept::{drop_kept, kept};
pub use logs::LogLines;
pub use operation::Operation;
pub use seatrial_macros::{Composition, test};

pub use service::{Exec, PortKey, Service};
pub use status::{ServiceExit, ServiceStatus};

/// The examples of the package's own README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}
