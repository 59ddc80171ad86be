//! The readiness checks and setups of a service.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::container::EnvVar;
use crate::{ImageTemplate, Protocol, Template};

/// One readiness check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Check {
    /// The kind of check.
    pub kind: CheckKind,
}

/// The kind of a readiness check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// The service itself accepts connections on each of these ports. Never empty.
    Tcp {
        /// Port numbers in the container.
        ports: Vec<u16>,
    },
    /// A line of the container's output contains `text`.
    Log {
        /// The text to look for.
        text: String,
        /// How many lines must contain it, at least 1.
        times: u32,
    },
    /// `GET path` answers with a status that is expected.
    Http {
        /// Port number in the container.
        port: u16,
        /// Path and query, beginning with `/`.
        path: String,
        /// The one status that is expected; `None` for any from 200 to 399.
        status: Option<u16>,
    },
    /// The server at the port answers in this protocol that it accepts requests.
    Protocol {
        /// The protocol.
        protocol: Protocol,
        /// Port number in the container.
        port: u16,
    },
    /// A command run in the container exits with 0.
    Exec {
        /// The executable and its arguments.
        command: Vec<Template>,
    },
    /// The image's own `HEALTHCHECK` succeeds.
    Healthcheck,
    /// The container's process runs, and did not exit at once.
    Running,
    /// A container of another image on the same network exits with 0.
    Probe {
        /// The probe's image.
        image: ImageTemplate,
        /// The executable and its arguments.
        command: Vec<Template>,
    },
    /// The user's own async function returns `Ok`.
    Hook {
        /// Position among the declaration's hooks.
        binding: usize,
        /// Its path as the user wrote it.
        name: String,
    },
}

/// How readiness checks are repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// After this long without success the launch fails; `None` for the configured default.
    pub timeout: Option<Duration>,
    /// Pause between attempts; `None` begins fast and slows down.
    pub interval: Option<Duration>,
    /// Pause before the first attempt.
    pub delay: Duration,
    /// Successes in a row that are needed, at least 1.
    pub successes: u32,
    /// Failures in a row after which the launch fails before the time-out.
    pub failures: Option<u32>,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            timeout: None,
            interval: None,
            delay: Duration::ZERO,
            successes: 1,
            failures: None,
        }
    }
}

/// One step that prepares a service for its users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The kind of step.
    pub kind: SetupKind,
    /// After this long the launch fails; `None` for the configured default.
    pub timeout: Option<Duration>,
    /// Position, among the declaration's keys, of content that it depends on and that is not in the plan.
    pub key: Option<usize>,
}

/// The kind of a setup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupKind {
    /// A command run in the service's container, which must exit with 0.
    Exec {
        /// The executable and its arguments.
        command: Vec<Template>,
        /// Environment variables beside those of the container.
        env: Vec<EnvVar>,
    },
    /// A container of another image on the same network, with the service's source mounted. It must exit with 0.
    Container {
        /// Its image.
        image: ImageTemplate,
        /// The executable and its arguments.
        command: Vec<Template>,
        /// Its environment variables.
        env: Vec<EnvVar>,
    },
    /// The user's own async function, which must return `Ok`.
    Hook {
        /// Position among the declaration's hooks.
        binding: usize,
        /// Its path as the user wrote it.
        name: String,
    },
}

impl SetupKind {
    /// The environment variables that it declares.
    pub fn env(&self) -> &[EnvVar] {
        match self {
            Self::Exec { env, .. } | Self::Container { env, .. } => env,
            Self::Hook { .. } => &[],
        }
    }
}
