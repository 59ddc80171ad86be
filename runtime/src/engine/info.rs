//! What and where an engine is.

/// What and where an engine is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EngineInfo {
    /// `docker` or `podman`.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Where it is reached: `unix:///var/run/docker.sock`.
    pub(crate) address: String,
    /// `linux`.
    pub(crate) os: String,
    /// In Go's terms: `amd64`, `arm64`.
    pub(crate) arch: String,
    /// The host under which its published ports are reached from here.
    pub(crate) published_host: String,
}
