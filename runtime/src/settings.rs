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
    /// Whether the HTTP clients of this process connect through a proxy, unless an address is exempt from it. Addresses
    /// of containers hardly ever are, and `127.0.0.1` nearly always is.
    pub(crate) uses_proxy: bool,
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
            uses_proxy: uses_proxy(|name| std::env::var(name).ok()),
        }
    }
}

/// Whether HTTP clients use a proxy, according to the variables that most of them follow. `NO_PROXY=*` exempts all
/// addresses.
fn uses_proxy(variable: impl Fn(&str) -> Option<String>) -> bool {
    let any = |names: &[&str], is: fn(&str) -> bool| {
        let mut values = names.iter().filter_map(|name| variable(name));
        values.any(|value| is(value.trim()))
    };
    let proxies = [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ];
    any(&proxies, |proxy| !proxy.is_empty()) && !any(&["no_proxy", "NO_PROXY"], |it| it == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_used_unless_everything_is_exempt() {
        let with = |variables: &[(&str, &str)]| {
            uses_proxy(|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(!with(&[]));
        assert!(!with(&[("HTTP_PROXY", " ")]));
        assert!(with(&[("HTTP_PROXY", "http://proxy.example:3128")]));
        let local = ("NO_PROXY", "localhost,127.0.0.1");
        assert!(with(&[("all_proxy", "socks5://proxy.example"), local]));
        assert!(!with(&[
            ("https_proxy", "proxy.example"),
            ("no_proxy", "*")
        ]));
    }
}
