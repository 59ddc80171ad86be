//! The plan of a composition and the grammars of a declaration, shared by Seatrial's macros and runtime. No I/O.
//!
//! A [`Plan`] has the services of a composition, the origin of each and the edges between them. The macros write a plan
//! from the user's declaration, and the runtime launches it. The grammars inside it (image references, durations, sizes,
//! placeholders, command lines) are implemented here, once.
//!
//! Users do not name this crate: `seatrial` re-exports the public parts.

pub mod command;
pub mod dockerfile;
pub mod duration;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod graph;
pub mod image;
pub mod message;
pub mod name;
pub mod placeholder;
mod plan;
mod protocol;
pub mod secret;
pub mod size;
pub mod suggest;
pub mod workspace;

pub use image::{ImageRef, ImageTemplate};
pub use placeholder::Template;
pub use plan::{
    Artifact, Build, Check, CheckKind, EnvVar, File, FileContent, HostEntry, Job, Mount, MountMode,
    Origin, Plan, Port, Pull, Scope, ServicePlan, Setup, SetupKind, Source, Timing, Tmpfs, Ulimit,
    VariableError, VariableProblem, Volume,
};
pub use protocol::Protocol;
