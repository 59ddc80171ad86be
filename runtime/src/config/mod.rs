//! What the user configures: `seatrial.toml` at the workspace root, every key overridable by a `SEATRIAL_*` variable.
//!
//! This module owns the keys, their defaults and the words about mistakes in them. It looks at the file and at what
//! the file names, never at an engine; it reads the environment only through the lookup it is given.
//!
//! | key | variable | default |
//! | --- | --- | --- |
//! | `engine` | `SEATRIAL_ENGINE` | found by looking |
//! | `base` | `SEATRIAL_BASE` | `debian:bookworm-slim` |
//! | `pull` | `SEATRIAL_PULL` | `missing` |
//! | `ports` | `SEATRIAL_PORTS` | `20000-29999` |
//! | `report` | `SEATRIAL_REPORT` | `false` |
//! | `events` | `SEATRIAL_EVENTS` | none |
//! | `logs_on_failure` | `SEATRIAL_LOGS_ON_FAILURE` | 20 |
//! | `supervisor` | `SEATRIAL_SUPERVISOR` | `process` |
//! | `keep` | `SEATRIAL_KEEP` | `2h` |
//! | `timeouts.ready` | `SEATRIAL_TIMEOUTS_READY` | `60s` |
//! | `timeouts.setup` | `SEATRIAL_TIMEOUTS_SETUP` | `5m` |
//! | `timeouts.pull` | `SEATRIAL_TIMEOUTS_PULL` | `15m` |
//! | `timeouts.engine` | `SEATRIAL_TIMEOUTS_ENGINE` | `60s` |
//! | `mirrors` | `SEATRIAL_MIRRORS` | none |
//! | `substitutions` | `SEATRIAL_SUBSTITUTIONS` | none |
//! | `images` | `SEATRIAL_IMAGES` | none |
//!
//! The variables of tables add entries, and replace those of the same name:
//! `SEATRIAL_MIRRORS=docker.io=mirror.example:5000,quay.io=mirror.example:5001`,
//! `SEATRIAL_SUBSTITUTIONS=postgres:15=team/postgres:15`, `SEATRIAL_IMAGES=redis:7=build:tests/images/redis`.

mod document;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod settings;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
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

impl Config {
    /// The configuration of the workspace whose root is `workspace`, in this process's environment.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub(crate) fn of_process(workspace: &Path) -> Result<Self, ConfigError> {
        Self::load(workspace, &|name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    /// Reads the configuration of the workspace whose root is `workspace`. Without a file the defaults hold; a variable
    /// that is empty counts as not set.
    ///
    /// # Errors
    ///
    /// Every mistake in the file and the variables, each with its place.
    pub(crate) fn load(
        workspace: &Path,
        environment: Environment<'_>,
    ) -> Result<Self, ConfigError> {
        let workspace = std::path::absolute(workspace).unwrap_or_else(|_| workspace.to_owned());
        let mut mistakes = Mistakes::default();
        let text = document::read(&workspace.join(FILE_NAME), &mut mistakes);
        let document = document::Document::parse(&workspace.join(FILE_NAME), &text, &mut mistakes);
        let config = settings::settle(&workspace, &document, environment, &mut mistakes);
        mistakes.none_or(config)
    }
}

/// Everything that is wrong in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// Never empty.
    mistakes: Vec<Mistake>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mistake {
    place: Place,
    message: String,
}

/// Where a value was written. Ordered as a reader meets them: the file from its top, then the variables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// In the file; a line of 0 is the file as a whole.
    File {
        path: PathBuf,
        line: usize,
        column: usize,
    },
    /// In the environment.
    Variable(String),
}

/// Mistakes as they are found, so that one run tells all of them.
#[derive(Default)]
struct Mistakes(Vec<Mistake>);

impl Mistakes {
    fn add(&mut self, place: &Place, message: impl fmt::Display) {
        self.0.push(Mistake {
            place: place.clone(),
            message: message.to_string(),
        });
    }

    /// Keeps the value of a parser that succeeded, notes the mistake of one that failed.
    fn keep<T, E: fmt::Display>(&mut self, place: &Place, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(place, error)).ok()
    }

    /// Whether a mistake was noted on this line of the file.
    fn on_line(&self, wanted: usize) -> bool {
        self.0
            .iter()
            .any(|mistake| matches!(mistake.place, Place::File { line, .. } if line == wanted))
    }

    fn none_or<T>(mut self, value: T) -> Result<T, ConfigError> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by(|a, b| a.place.cmp(&b.place));
        Err(ConfigError { mistakes: self.0 })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: 0, .. } => write!(f, "{}", path.display()),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => f.write_str("a mistake in the configuration:")?,
            count => write!(f, "{count} mistakes in the configuration:")?,
        }
        for Mistake { place, message } in &self.mistakes {
            write!(f, "\n  {place}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
