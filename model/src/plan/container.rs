//! The parts of a service that describe its container: origin, scope, ports, environment, file system, limits.

use serde::{Deserialize, Serialize};

use crate::{ImageTemplate, Template};

/// The origin of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An image.
    Image(ImageTemplate),
    /// A binary target of a package, mounted into `base` and run there.
    Bin {
        /// The target's name.
        name: String,
        /// Position among the declaration's binaries.
        binding: usize,
        /// The image it runs in; `None` for the configured default.
        base: Option<ImageTemplate>,
        /// The package of the workspace that it is built from when it is first needed. `None` for the declaring package, which
        /// cargo builds with its tests.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        package: Option<String>,
    },
    /// An image that is built from a directory of the workspace.
    Build(Build),
}

/// What an image is built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The build context: a directory relative to the declaring package's, within the workspace.
    pub context: String,
    /// The Dockerfile's path in the context.
    pub dockerfile: String,
    /// The stage to build; `None` for the last one.
    pub target: Option<String>,
    /// Values for the Dockerfile's `ARG`s.
    pub args: Vec<EnvVar>,
}

impl Build {
    /// The Dockerfile of a build that names none.
    pub const DOCKERFILE: &'static str = "Dockerfile";

    /// The Dockerfile, relative to the declaring package's directory.
    pub fn file(&self) -> String {
        match &*self.context {
            "." => self.dockerfile.clone(),
            context => format!("{}/{}", context.trim_end_matches('/'), self.dockerfile),
        }
    }
}

/// How long one instance of a service lives. Ordered: a longer life is greater.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One per test.
    #[default]
    Test,
    /// One per test process.
    Binary,
    /// One per run, shared by its test processes.
    Run,
    /// One per machine: later runs adopt it. Removed when unused for its time to live.
    Keep,
}

impl Scope {
    /// Every scope, the shortest life first.
    pub const ALL: [Self; 4] = [Self::Test, Self::Binary, Self::Run, Self::Keep];

    /// Its word in a declaration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Binary => "binary",
            Self::Run => "run",
            Self::Keep => "keep",
        }
    }
}

/// An environment variable. Its `Debug` form hides secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvVar {
    /// The variable's name.
    pub name: String,
    /// Its value.
    pub value: Template,
}

/// A file system in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tmpfs {
    /// Absolute path in the container.
    pub at: String,
    /// Size limit in bytes.
    pub size: Option<u64>,
}

/// A volume of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Services of one composition that give the same name share the volume; `None` is the service's own.
    pub name: Option<String>,
    /// Absolute path in the container.
    pub at: String,
}

/// A mounted file or directory of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Path relative to the declaring package's directory, within the workspace.
    pub from: String,
    /// Absolute path in the container.
    pub at: String,
    /// Whether the container may write to it.
    pub mode: MountMode,
}

/// Whether a container may write to a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountMode {
    /// Read-only.
    #[default]
    Ro,
    /// Read and write.
    Rw,
}

/// A file written into a container before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Absolute path in the container.
    pub at: String,
    /// Its content.
    pub content: FileContent,
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileContent {
    /// Text with placeholders.
    Text(Template),
    /// A file included verbatim at compile time, by its position among the declaration's files.
    Included(usize),
}

/// A line for `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEntry {
    /// The host name.
    pub name: String,
    /// An address, or `host-gateway` for the machine the engine runs on.
    pub address: String,
}

/// A resource limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// The limit's name without `RLIMIT_`, lower case: `nofile`.
    pub name: String,
    /// Soft limit.
    pub soft: i64,
    /// Hard limit.
    pub hard: i64,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pull {
    /// When the engine does not have it.
    #[default]
    Missing,
    /// Once per test process.
    Always,
    /// Never: the engine must have it.
    Never,
}

/// Whether and how the source tree is mounted in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Not mounted.
    None,
    /// Mounted.
    Mounted {
        /// Directory relative to the declaring package's, within the workspace; `None` for the workspace root.
        from: Option<String>,
        /// Absolute path in the container.
        at: String,
        /// `rw` makes the container run as the host's user, unless it names a user itself.
        mode: MountMode,
    },
}

impl Source {
    /// The default path of the mounted source.
    pub const DEFAULT_PATH: &'static str = "/workspace";
}

impl Default for Source {
    fn default() -> Self {
        Self::Mounted {
            from: None,
            at: Self::DEFAULT_PATH.to_owned(),
            mode: MountMode::Ro,
        }
    }
}
