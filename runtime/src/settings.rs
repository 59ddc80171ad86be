//! The settings of a test process: its workspace's configuration, and the variables that name the engine and the registries'
//! credentials.
//!
//! They apply to everything that the process launches, also if another process does the work.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::{Error, ErrorKind, workspace};

/// The variables, beside `SEATRIAL_*`, with which engines and credentials are found.
const VARIABLES: [&str; 7] = [
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "HOME",
    "REGISTRY_AUTH_FILE",
    "XDG_RUNTIME_DIR",
];

/// The settings of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Settings {
    /// The settings of this process.
    ///
    /// # Errors
    ///
    /// The configuration has mistakes. The error lists all of them.
    pub(crate) fn of_process() -> Result<Self, Error> {
        let config = Config::of_process(&workspace::of_process())
            .map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()))?;
        Ok(Self::new(config))
    }

    /// A text that differs between settings that can select different engines.
    pub(crate) fn engine_choice(&self) -> String {
        let names = ["DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST", "HOME"];
        let variables = names.map(|name| self.variables.get(name));
        format!("{:?} {variables:?}", self.config.engine)
    }

    /// A configuration, with the variables of this process.
    pub(crate) fn new(config: Config) -> Self {
        let value = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        Self {
            config,
            variables: VARIABLES.into_iter().filter_map(value).collect(),
        }
    }
}
