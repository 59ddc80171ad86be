//! The user's configuration: `seatrial.toml` at the workspace root. A `SEATRIAL_*` variable overrides each key.
//!
//! This module owns the keys, their defaults and the messages about mistakes in them. It reads the file and looks at the paths
//! that the file names. It must never look at an engine, and reads the environment only through the given lookup.
//!
//! | key | variable | default |
//! | --- | --- | --- |
//! | `engine` | `SEATRIAL_ENGINE` | discovered |
//! | `base` | `SEATRIAL_BASE` | `debian:bookworm-slim` |
//! | `pull` | `SEATRIAL_PULL` | `missing` |
//! | `ports` | `SEATRIAL_PORTS` | `20000-29999` |
//! | `publish` | `SEATRIAL_PUBLISH` | `auto` |
//! | `namespaces` | `SEATRIAL_NAMESPACES` | 32 |
//! | `report` | `SEATRIAL_REPORT` | `false` |
//! | `events` | `SEATRIAL_EVENTS` | none |
//! | `logs_on_failure` | `SEATRIAL_LOGS_ON_FAILURE` | 20 |
//! | `supervisor` | `SEATRIAL_SUPERVISOR` | `process` |
//! | `keep` | `SEATRIAL_KEEP` | `2h` |
//! | `ahead` | `SEATRIAL_AHEAD` | as many as processors |
//! | `timeouts.ready` | `SEATRIAL_TIMEOUTS_READY` | `60s` |
//! | `timeouts.setup` | `SEATRIAL_TIMEOUTS_SETUP` | `5m` |
//! | `timeouts.job` | `SEATRIAL_TIMEOUTS_JOB` | `10m` |
//! | `timeouts.pull` | `SEATRIAL_TIMEOUTS_PULL` | `15m` |
//! | `timeouts.engine` | `SEATRIAL_TIMEOUTS_ENGINE` | `60s` |
//! | `mirrors` | `SEATRIAL_MIRRORS` | none |
//! | `substitutions` | `SEATRIAL_SUBSTITUTIONS` | none |
//! | `images` | `SEATRIAL_IMAGES` | none |
//!
//! The variable of a table adds entries to the table, and replaces entries of the same name:
//! `SEATRIAL_MIRRORS=docker.io=mirror.example:5000,quay.io=mirror.example:5001`,
//! `SEATRIAL_SUBSTITUTIONS=postgres:15=team/postgres:15`, `SEATRIAL_IMAGES=redis:7=build:tests/images/redis`.

mod document;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod keys;
mod mistakes;
mod schema;
mod settings;
#[cfg(test)]
mod tests;
mod unknown;
mod values;

use std::path::Path;

pub(crate) use self::mistakes::ConfigError;
use self::mistakes::Mistakes;
pub(crate) use self::schema::{
    BuildSource, Config, Environment, FILE_NAME, Fallback, ImageConfig, Keep, Publish,
    SupervisorMode,
};

impl Config {
    /// The configuration of the workspace whose root is `workspace`, in this process's environment.
    ///
    /// # Errors
    ///
    /// The same as of [`Config::load`].
    pub(crate) fn of_process(workspace: &Path) -> Result<Self, ConfigError> {
        Self::load(workspace, &|name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    /// A warning for each variable of this process that looks like a setting and is not one.
    pub(crate) fn unknown_variables() -> Vec<String> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        unknown::warnings(names)
    }

    /// Reads the configuration of the workspace whose root is `workspace`. Without a file, the defaults apply. An empty variable
    /// counts as not set.
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
