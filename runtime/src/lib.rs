//! Integration tests with real services.
//!
//! Declare the services that a test depends on in a struct. The compiler checks the tree of their dependencies. A test takes
//! the struct as a parameter: every service is running, ready and connected to the others, with the source mounted. The
//! services are removed when nobody uses them any more.
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
//! * [`derive(Composition)`](derive@Composition): all keys of a declaration.
//! * [`#[seatrial::test]`](macro@test): tests that take compositions and services.
//! * [`Composition`](trait@Composition): launching in tests that other macros write, and without a test.
//! * [`Service`]: addresses, logs, commands, and what can be done to a running service.
//! * [`Operation`]: how async tests await an operation, and plain tests block on it.
//! * [`Error`]: the kind of a failure, its service, its exit code and its log.
//!
//! # Requirements
//!
//! A container engine with Docker's API: Docker Engine, Docker Desktop, Colima, OrbStack, Rancher Desktop, or Podman's
//! service. Seatrial finds it without configuration; `SEATRIAL_ENGINE`, `engine` in `seatrial.toml`, `DOCKER_HOST` and
//! docker's contexts are respected, in this order.
//!
//! # Scopes
//!
//! The scope of a service says how long it lives, and who shares it:
//!
//! * `scope = test`, the default: it lives as long as the test that declares it.
//! * `scope = binary`: it lives as long as the test process, whose tests share it.
//! * `scope = run`: it lives as long as the run of `cargo test` or `cargo nextest run`. The tests of all packages share it.
//! * `scope = keep`: it outlives the run, and later runs find it as the last one left it. It is removed when nobody has used
//!   it for its time to live, or when its declaration changes. [`kept`] lists such services, [`drop_kept`] removes them.
//!
//! A shared service is checked again before a test gets it, which takes milliseconds. A test that must not share asks for
//! instances of its own: `#[composition(scope = test)]` on its parameter.
//!
//! # Cleanup
//!
//! All services belong to a supervisor. The first test process of a run starts it, as a process of its own. When a test process
//! ends, for whatever reason (its tests pass, fail or panic, a time-out, Ctrl-C, `exit`, `SIGKILL`), the supervisor removes
//! the services of that process. When the run ends, the supervisor removes the rest, and exits. If a supervisor was killed, the
//! next one on the machine removes its leftovers in the background.
//!
//! On systems other than Linux, the supervisor is in the test process. There, `scope = run` and `scope = keep` mean
//! `scope = binary`, and a process that is killed leaves its services behind.
//!
//! # Features
//!
//! * `progress` (default): progress bars while images are fetched, if standard error is a terminal.

mod answers;
mod call_site;
mod cargo;
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
mod job;
mod junit;
mod kept;
mod launched_in_test;
mod logs;
mod operation;
mod output;
mod package;
mod panic_text;
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
#[cfg(test)]
mod soak;
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
pub use job::Job;
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
