//! The plan: a checked declaration, as data.
//!
//! It has passed the checks: indices are in range, names are unique, the graph has no cycle. Values that only the compiler or
//! the running test can supply (the path of a built binary, the bytes of an included file, a user's function) are numbers: positions in the
//! bindings that the generated code passes beside the plan.

mod container;
mod debug;
mod job;
mod port;
mod service;
mod steps;
mod variables;

pub use container::{
    Build, EnvVar, File, FileContent, HostEntry, Mount, MountMode, Origin, Pull, Scope, Source,
    Tmpfs, Ulimit, Volume,
};
pub use job::{Artifact, Job};
pub use port::Port;
pub use service::{Plan, ServicePlan};
pub use steps::{Check, CheckKind, Setup, SetupKind, Timing};
pub use variables::{VariableError, VariableProblem};
