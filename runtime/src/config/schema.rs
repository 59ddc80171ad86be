//! The configuration of a workspace as it is used: checked values, and no word on where they were written.

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
    /// `docker`, `podman` or an address; `None` to look for one.
    pub(crate) engine: Option<String>,
    /// What a `bin` service runs in unless it says otherwise.
    pub(crate) base: ImageRef,
    pub(crate) timeouts: Timeouts,
    /// Host ports to publish on.
    pub(crate) ports: RangeInclusive<u16>,
    /// Whether the tree with its times is printed after each launch.
    pub(crate) report: bool,
    /// Where what happened is written, a JSON value per line.
    pub(crate) events: Option<PathBuf>,
    /// Log lines per service that are printed when a test fails.
    pub(crate) logs_on_failure: usize,
    pub(crate) supervisor: SupervisorMode,
    pub(crate) keep: Keep,
    pub(crate) images: ImageConfig,
}

/// Whose process the supervisor of a run is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SupervisorMode {
    /// One of its own, for all test processes of the run.
    Process,
    /// The test process: each has its own.
    InProcess,
}

/// What becomes of services of scope `keep`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Keep {
    /// Each stays until nobody has used it for this long, never zero, unless its declaration says for how long.
    For(Duration),
    /// They are as those of scope `run`. What is kept stays as it is.
    Off,
    /// As [`Keep::Off`], and what is kept is removed. Only the variable says so.
    Drop,
}

/// How long to wait at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timeouts {
    /// For a service to be ready, unless it says otherwise.
    pub(crate) ready: Duration,
    /// For each setup of a service, unless it says otherwise.
    pub(crate) setup: Duration,
    /// For any progress while an image is fetched.
    pub(crate) pull: Duration,
    /// For the engine's answer to what it only has to look up.
    pub(crate) engine: Duration,
}

/// Where images come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageConfig {
    /// The workspace root: where fallback scripts run.
    pub(crate) workspace: PathBuf,
    /// When images are pulled, for declarations that do not say `always` or `never`.
    pub(crate) pull: Pull,
    /// Registries to ask before the one of this name, in order; Docker Hub is `docker.io`.
    pub(crate) mirrors: BTreeMap<String, Vec<String>>,
    /// Images to use in the place of others. A name without tag stands for every tag.
    pub(crate) substitutions: BTreeMap<ImageRef, ImageRef>,
    /// What makes an image that no registry delivers.
    pub(crate) fallbacks: BTreeMap<ImageRef, Fallback>,
}

/// What makes an image that no registry delivers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fallback {
    /// A directory with a Dockerfile.
    Build {
        /// The directory, absolute.
        context: PathBuf,
        /// The Dockerfile's path in it.
        dockerfile: String,
        /// Values for the Dockerfile's `ARG`s.
        args: BTreeMap<String, String>,
    },
    /// An executable, by absolute path, that writes a root file system as a tar to its standard output.
    Script(PathBuf),
}
