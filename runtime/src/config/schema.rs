//! The configuration of a workspace as checked values. It does not know where a value was written.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use seatrial_model::{ImageRef, Pull};
use serde::{Deserialize, Serialize};

/// The file's name, at the workspace root.
pub(crate) const FILE_NAME: &str = "seatrial.toml";

/// Looks up a variable of the environment.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The configuration of one workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Config {
    /// `docker`, `podman` or an address. `None` to discover one.
    pub(crate) engine: Option<String>,
    /// The base image of `bin` services that do not name one.
    pub(crate) base: ImageRef,
    pub(crate) timeouts: Timeouts,
    /// Host ports to publish on.
    pub(crate) ports: RangeInclusive<u16>,
    pub(crate) publish: Publish,
    /// The most network namespaces that are prepared ahead. 0 for none.
    pub(crate) namespaces: usize,
    /// Whether the tree of services with its timings is printed after each launch.
    pub(crate) report: bool,
    /// The file of events, a JSON value per line.
    pub(crate) events: Option<PathBuf>,
    /// Log lines per service that are printed when a test fails.
    pub(crate) logs_on_failure: usize,
    pub(crate) supervisor: SupervisorMode,
    pub(crate) keep: Keep,
    /// The most services that are brought up ahead of the tests that will use them. `None` if the machine's processors and
    /// memory decide.
    pub(crate) ahead: Option<usize>,
    pub(crate) images: ImageConfig,
}

/// The process that has the supervisor of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SupervisorMode {
    /// A process of its own, for all test processes of the run.
    Process,
    /// The test process. Each test process has a supervisor.
    InProcess,
}

/// When the ports of services are published on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Publish {
    Always,
    /// Unless this machine reaches a service at its own address, also while the service is stopped.
    Auto,
}

/// How services of scope `keep` are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Keep {
    /// Each stays until it has been unused for this time, unless its declaration has a time of its own. Never zero.
    For(Duration),
    /// Like services of scope `run`. Services that are kept already stay as they are.
    Off,
    /// Like [`Keep::Off`], and services that are kept already are removed. Only the variable can say so.
    Drop,
}

/// The longest times to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timeouts {
    /// For a service to be ready, unless its declaration has a time of its own.
    pub(crate) ready: Duration,
    /// For each setup of a service, unless the setup has a time of its own.
    pub(crate) setup: Duration,
    /// For each run of a job, unless the job has a time of its own.
    pub(crate) job: Duration,
    /// For the next sign of progress while an image is fetched.
    pub(crate) pull: Duration,
    /// For the engine's answer to a request that only looks something up.
    pub(crate) engine: Duration,
}

/// Where images come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageConfig {
    /// The workspace root: where fallback scripts run.
    pub(crate) workspace: PathBuf,
    /// When images are pulled, for declarations that do not say `always` or `never`.
    pub(crate) pull: Pull,
    /// Mirrors to ask before the registry of this name, in order. Docker Hub is `docker.io`.
    pub(crate) mirrors: BTreeMap<String, Vec<String>>,
    /// Images to use instead of others. A name without a tag stands for every tag.
    pub(crate) substitutions: BTreeMap<ImageRef, ImageRef>,
    /// How to make images that no registry delivers.
    pub(crate) fallbacks: BTreeMap<ImageRef, Fallback>,
}

/// What an image is built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BuildSource {
    /// The build context, an absolute path.
    pub(crate) context: PathBuf,
    /// The Dockerfile's path in it.
    pub(crate) dockerfile: String,
    /// The stage to build; `None` for the last one.
    pub(crate) target: Option<String>,
    /// Values for the Dockerfile's `ARG`s.
    pub(crate) args: BTreeMap<String, String>,
}

/// How to make an image that no registry delivers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fallback {
    /// Build it from a directory with a Dockerfile.
    Build(BuildSource),
    /// Run an executable, by absolute path, that writes a root file system as a tar to its standard output.
    Script(PathBuf),
}
