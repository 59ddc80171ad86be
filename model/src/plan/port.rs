//! The ports of a service.

use serde::{Deserialize, Serialize};

/// A TCP port that a service listens on in its container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its name, if it has one: `ports(metrics = 9187)`.
    pub name: Option<String>,
    /// Its number, never 0.
    pub number: u16,
}
