//! The plan: a checked declaration, as data.
//!
//! Everything in it has passed the checks: indices are in range, names are unique, the graph has no cycle.
//! What only the compiler or the running test can supply (the path of a built binary, the bytes of an included
//! file, a user's function) is a number into the bindings that the generated code hands over beside the plan.

mod debug;
mod variables;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
pub use variables::{VariableError, VariableProblem};

use crate::{ImageTemplate, Protocol, Template};

/// The services of one composition, in the order of their declaration.
///
/// Its `Debug` form hides the secrets of every service's environment, wherever in the plan they stand. Its serialized
/// form does not: it is for the supervisor, not for people.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The composition's name as people know it: the struct's, or the test function's for services
    /// declared on its parameters.
    pub name: String,
    /// The services; other parts of the plan refer to them by position.
    pub services: Vec<ServicePlan>,
}

/// One service: what it is made from, how it is wired and when it is ready.
///
/// Its `Debug` form hides the secrets of its environment, wherever in it they stand.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePlan {
    /// The Rust field or parameter that declares it.
    pub field: String,
    /// Its host name on the network: the field's, lower case, `_` written as `-`.
    pub name: String,
    /// What its container is made from.
    pub origin: Origin,
    /// How long an instance lives.
    pub scope: Scope,
    /// How long an instance of scope `keep` stays that nobody uses, never zero; `None` for the configured default. Only
    /// with that scope.
    pub keep: Option<Duration>,
    /// The ports it serves.
    pub ports: Vec<Port>,
    /// Environment variables, in the order of their declaration.
    pub env: Vec<EnvVar>,
    /// Arguments; `None` leaves the image's own.
    pub command: Option<Vec<Template>>,
    /// The executable and its first arguments; `None` leaves the image's own.
    pub entrypoint: Option<Vec<Template>>,
    /// User the container runs as, `name`, `uid` or `uid:gid`.
    pub user: Option<String>,
    /// Working directory in the container.
    pub workdir: Option<String>,
    /// File systems in memory.
    pub tmpfs: Vec<Tmpfs>,
    /// Volumes of the engine's, living as long as the instance.
    pub volumes: Vec<Volume>,
    /// Files and directories of the host's.
    pub mounts: Vec<Mount>,
    /// Files written into the container before it starts.
    pub files: Vec<File>,
    /// The user's own labels.
    pub labels: BTreeMap<String, String>,
    /// Additional lines for `/etc/hosts`.
    pub hosts: Vec<HostEntry>,
    /// Memory limit in bytes.
    pub memory: Option<u64>,
    /// Size of `/dev/shm` in bytes.
    pub shm_size: Option<u64>,
    /// Resource limits.
    pub ulimits: Vec<Ulimit>,
    /// Capabilities added to the engine's default set.
    pub cap_add: Vec<String>,
    /// Whether the container gets every capability and device.
    pub privileged: bool,
    /// `os/arch[/variant]` to ask for.
    pub platform: Option<String>,
    /// Signal that `stop` sends first, such as `SIGINT`.
    pub stop_signal: Option<String>,
    /// When its image is pulled.
    pub pull: Pull,
    /// Positions of the services that must be ready before this one starts, ascending, each once: those its
    /// placeholders name and those in `needs(..)`.
    pub needs: Vec<usize>,
    /// All must hold for the service to be ready. Where none of them chooses ports, every declared TCP port must
    /// really be served too.
    pub ready: Vec<Check>,
    /// How the checks are repeated.
    pub timing: Timing,
    /// What is done to it once it is ready and before anyone else sees it, in this order, once per instance.
    pub setups: Vec<Setup>,
    /// Whether and how the user's source tree is mounted.
    pub source: Source,
}

impl ServicePlan {
    /// A service made from `origin` that declares nothing else.
    ///
    /// ```
    /// use seatrial_model::{Origin, ServicePlan};
    ///
    /// let cache = ServicePlan::new("user_cache", Origin::Image("redis:7".parse()?));
    /// assert_eq!(cache.name, "user-cache");
    /// # Ok::<(), seatrial_model::image::ImageTemplateError>(())
    /// ```
    pub fn new(field: &str, origin: Origin) -> Self {
        Self {
            field: field.to_owned(),
            name: crate::name::host_name(field),
            origin,
            scope: Scope::default(),
            keep: None,
            ports: Vec::new(),
            env: Vec::new(),
            command: None,
            entrypoint: None,
            user: None,
            workdir: None,
            tmpfs: Vec::new(),
            volumes: Vec::new(),
            mounts: Vec::new(),
            files: Vec::new(),
            labels: BTreeMap::new(),
            hosts: Vec::new(),
            memory: None,
            shm_size: None,
            ulimits: Vec::new(),
            cap_add: Vec::new(),
            privileged: false,
            platform: None,
            stop_signal: None,
            pull: Pull::default(),
            needs: Vec::new(),
            ready: Vec::new(),
            timing: Timing::default(),
            setups: Vec::new(),
            source: Source::default(),
        }
    }
}

impl ServicePlan {
    /// Every environment variable that it declares, its setups' too.
    pub fn variables(&self) -> impl Iterator<Item = &EnvVar> {
        let of_setups = self.setups.iter().flat_map(|setup| setup.kind.env());
        self.env.iter().chain(of_setups)
    }
}

/// What a container is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An image.
    Image(ImageTemplate),
    /// A binary target of the declaring package, mounted into `base` and run there.
    Bin {
        /// The target's name.
        name: String,
        /// Position among the declaration's binaries.
        binding: usize,
        /// The image it runs in; `None` for the configured default.
        base: Option<ImageTemplate>,
    },
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
    /// One per machine: later runs adopt it. Removed when nobody has used it for a time.
    Keep,
}

impl Scope {
    /// Every scope, the shortest life first.
    pub const ALL: [Self; 4] = [Self::Test, Self::Binary, Self::Run, Self::Keep];

    /// The word a declaration uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Binary => "binary",
            Self::Run => "run",
            Self::Keep => "keep",
        }
    }
}

/// A TCP port that a service listens on in its container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its name, where it has one: `ports(metrics = 9187)`.
    pub name: Option<String>,
    /// Its number, never 0.
    pub number: u16,
}

/// An environment variable. Its `Debug` form hides what is secret.
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

/// A volume of the engine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Services of one composition that give the same name share the volume; `None` is the service's own.
    pub name: Option<String>,
    /// Absolute path in the container.
    pub at: String,
}

/// A file or directory of the host's, mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Path relative to the declaring package's directory, within the workspace.
    pub from: String,
    /// Absolute path in the container.
    pub at: String,
    /// Whether the container may write to it.
    pub mode: MountMode,
}

/// Whether a container may write to what is mounted.
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
    /// What is in it.
    pub content: FileContent,
}

/// Where a file's content comes from.
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
    /// Never: it must be there.
    Never,
}

/// One readiness check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Check {
    /// What is checked.
    pub kind: CheckKind,
}

/// What a readiness check looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Every one of these ports accepts connections, and it is the service that accepts them. Never empty.
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
    /// What serves the port answers in this protocol that it takes requests.
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
    /// The container's process runs, and has for a moment: it does not end at once.
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

/// One step that brings a service into the state that its users expect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// What is done.
    pub kind: SetupKind,
    /// After this long the launch fails; `None` for the configured default.
    pub timeout: Option<Duration>,
    /// Position among the declaration's keys of the content that it depends on, beyond what the plan says.
    pub key: Option<usize>,
}

/// What a setup does.
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

/// Whether and how the source tree is mounted in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It is not.
    None,
    /// It is.
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
    /// Where the source is mounted unless a declaration says otherwise.
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
