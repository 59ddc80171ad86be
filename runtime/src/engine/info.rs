//! What and where an engine is.

/// What and where an engine is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EngineInfo {
    /// `docker` or `podman`.
    pub(crate) name: String,
    /// The engine's version.
    pub(crate) version: String,
    /// The engine's address: `unix:///var/run/docker.sock`.
    pub(crate) address: String,
    /// `linux`.
    pub(crate) os: String,
    /// In Go's terms: `amd64`, `arm64`.
    pub(crate) arch: String,
    /// The host for connections from here to the engine's published ports.
    pub(crate) published_host: String,
}
