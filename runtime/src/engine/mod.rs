//! The engine boundary: what runs containers, in our own terms.
//!
//! Everything above this module speaks of containers, images, networks and volumes through [`Engine`]; everything
//! that is particular to one kind of engine stays below it, in a module of its own. No type of a client library
//! leaves that module. An engine does one thing per call, keeps no state of ours, retries nothing and prints nothing.

mod address;
mod deadlines;
pub(crate) mod discovery;
mod docker;
#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod scripted;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use seatrial_model::secret::Redactor;
use serde::{Deserialize, Serialize};

use crate::output::{End, OUTPUT_MAX, REPORT_MAX};
use crate::visible::quoted;

/// The future of a call.
pub(crate) type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// A stream of an answer that arrives in parts.
pub(crate) type Parts<T> = Pin<Box<dyn Stream<Item = Result<T, EngineError>> + Send>>;

/// A kind of engine that runs containers.
pub(crate) trait Engine: Send + Sync + fmt::Debug {
    /// What and where it is.
    fn info(&self) -> &EngineInfo;

    /// Looks an image up in the engine's own store: by reference or id. `None` where it is not there.
    fn image<'a>(&'a self, reference: &'a str) -> Call<'a, Option<ImageInfo>>;
    /// Pulls an image; what the engine reports on the way goes to `progress`.
    fn pull<'a>(&'a self, pull: PullSpec<'a>, progress: ProgressSink<'a>) -> Call<'a, ()>;
    /// Builds an image from a directory packed as a tar and names it `tag`.
    fn build<'a>(&'a self, build: BuildSpec<'a>, progress: ProgressSink<'a>) -> Call<'a, ()>;
    /// Makes an image named `tag` from a root file system packed as a tar. An error in `root` ends the call with that
    /// error, and no image is made.
    fn import<'a>(
        &'a self,
        root: Parts<Vec<u8>>,
        tag: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()>;
    /// Gives an image one more name.
    fn tag<'a>(&'a self, image: &'a str, tag: &'a str) -> Call<'a, ()>;
    /// Removes an image by its id, unless it has a name or another is built on it: whether it is there no more.
    /// [`EngineErrorKind::Busy`] where a container has it in use.
    fn remove_unused_image<'a>(&'a self, id: &'a str) -> Call<'a, bool>;

    /// Creates a network and returns its id. [`EngineErrorKind::Conflict`] where the subnet overlaps another's.
    fn create_network<'a>(&'a self, network: &'a NetworkSpec) -> Call<'a, String>;
    /// Every network there is.
    fn networks(&self) -> Call<'_, Vec<NetworkInfo>>;
    /// The ids of the containers that are attached to a network, as far as the engine knows.
    fn attached<'a>(&'a self, network: &'a str) -> Call<'a, Vec<String>>;
    /// Removes a network; one that is not there is no error. [`EngineErrorKind::Conflict`] where the engine believes that
    /// containers are attached.
    fn remove_network<'a>(&'a self, id: &'a str) -> Call<'a, ()>;
    /// Attaches a container to a network.
    fn connect<'a>(&'a self, container: &'a str, attachment: &'a Attachment) -> Call<'a, ()>;
    /// Detaches a container from a network.
    fn disconnect<'a>(&'a self, container: &'a str, network: &'a str) -> Call<'a, ()>;

    /// Creates a volume.
    fn create_volume<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()>;
    /// The volumes that carry a label of this name.
    fn volumes<'a>(&'a self, label: &'a str) -> Call<'a, Vec<VolumeInfo>>;
    /// Removes a volume; one that is not there is no error.
    fn remove_volume<'a>(&'a self, name: &'a str) -> Call<'a, ()>;

    /// The containers that carry a label of this name, running or not.
    fn containers<'a>(&'a self, label: &'a str) -> Call<'a, Vec<ContainerListing>>;
    /// Creates a container whose output can be read, and returns its id.
    fn create<'a>(&'a self, container: &'a ContainerSpec) -> Call<'a, String>;
    /// Starts a container.
    fn start<'a>(&'a self, id: &'a str) -> Call<'a, ()>;
    /// Asks a container's process to end and kills it once `patience` is over, or the engine's own (10 seconds). Engines count
    /// whole seconds: a part of one is rounded up.
    fn stop<'a>(&'a self, id: &'a str, patience: Option<Duration>) -> Call<'a, ()>;
    /// Sends `SIGKILL`, or the signal given.
    fn kill<'a>(&'a self, id: &'a str, signal: Option<&'a str>) -> Call<'a, ()>;
    /// Freezes a container's processes.
    fn pause<'a>(&'a self, id: &'a str) -> Call<'a, ()>;
    /// Thaws a container's processes.
    fn unpause<'a>(&'a self, id: &'a str) -> Call<'a, ()>;
    /// Removes a container by id or name, by force, with its anonymous volumes; one that is not there is no error.
    fn remove<'a>(&'a self, id: &'a str) -> Call<'a, ()>;
    /// What a container is doing.
    fn inspect<'a>(&'a self, id: &'a str) -> Call<'a, ContainerInfo>;
    /// Waits until a container that was started does not run, and returns its exit code.
    fn wait<'a>(&'a self, id: &'a str) -> Call<'a, i64>;

    /// A container's output, from its beginning or, with `tail`, its last lines. With `follow` the stream goes on until
    /// the container ends. [`EngineErrorKind::LogUnreadable`] where the container was created with a log that nobody can read.
    fn logs(&self, id: &str, follow: bool, tail: Option<usize>) -> Parts<Output>;
    /// Runs a command in a running container to its end, and keeps of its output as much as that is for. A command that cannot be started is an error of kind
    /// [`EngineErrorKind::CommandNotFound`] where the engine says so, else exit code 126 or 127.
    fn exec<'a>(&'a self, id: &'a str, exec: &'a ExecSpec) -> Call<'a, ExecResult>;
    /// Unpacks a tar below the directory `at`, which must exist. An error in `tar` ends the call with that error; what was
    /// unpacked by then stays.
    fn upload<'a>(&'a self, id: &'a str, at: &'a str, tar: Parts<Vec<u8>>) -> Call<'a, ()>;
    /// Packs the file or directory `from` as a tar.
    fn download(&self, id: &str, from: &str) -> Parts<Vec<u8>>;
}

/// What is there already, as a stream.
pub(crate) fn all_of(bytes: Vec<u8>) -> Parts<Vec<u8>> {
    Box::pin(futures_util::stream::iter([Ok(bytes)]))
}

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

/// An image in the engine's store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImageInfo {
    pub(crate) id: String,
    pub(crate) os: String,
    pub(crate) arch: String,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) command: Vec<String>,
    /// The `HEALTHCHECK`'s command as the image has it, its first word `CMD`, `CMD-SHELL` or `NONE`; empty without one.
    pub(crate) healthcheck: Vec<String>,
    /// Who runs it, as `USER` has it; empty for root.
    pub(crate) user: String,
    pub(crate) labels: BTreeMap<String, String>,
}

/// What to pull.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PullSpec<'a> {
    pub(crate) image: &'a seatrial_model::ImageRef,
    pub(crate) platform: Option<&'a str>,
    pub(crate) credentials: Option<&'a Credentials>,
}

/// Who pulls.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// User name and password.
    Password { user: String, password: String },
    /// An identity token of the registry's.
    Token(String),
}

/// Never shows a password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => write!(f, "password of {user}"),
            Self::Token(_) => f.write_str("token"),
        }
    }
}

/// What to build.
#[derive(Debug)]
pub(crate) struct BuildSpec<'a> {
    /// The context, a tar.
    pub(crate) context: Vec<u8>,
    /// Path of the Dockerfile in the context.
    pub(crate) dockerfile: &'a str,
    /// Values for the Dockerfile's `ARG`s.
    pub(crate) args: &'a BTreeMap<String, String>,
    pub(crate) tag: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
}

/// Takes what an engine reports while it pulls or builds.
pub(crate) type ProgressSink<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// A report while an image is pulled or built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Progress {
    /// A layer is on its way.
    Layer {
        /// The layer's id.
        id: String,
        /// In the engine's words: `Downloading`, `Extracting`, `Pull complete`.
        status: String,
        /// Bytes done, where known.
        current: Option<u64>,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// A line of a build's output, or a status of the whole.
    Line(String),
    /// The id of an image that a step of a build has made; not of one that was there already.
    Made(String),
}

/// A network to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetworkSpec {
    pub(crate) name: String,
    pub(crate) subnet: Subnet,
    pub(crate) labels: BTreeMap<String, String>,
}

/// A network that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetworkInfo {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Its IPv4 subnets.
    pub(crate) subnets: Vec<Subnet>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// A volume that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VolumeInfo {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
}

/// A container, as a list of them shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerListing {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) running: bool,
    pub(crate) labels: BTreeMap<String, String>,
}

/// An IPv4 subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) address: std::net::Ipv4Addr,
    pub(crate) prefix: u8,
}

/// `172.28.0.0/24`.
impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A container's place on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// The network's id or name.
    pub(crate) network: String,
    /// The container's fixed address there.
    pub(crate) address: std::net::Ipv4Addr,
}

/// A container to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerSpec {
    pub(crate) name: String,
    /// Reference or id of an image that the engine has.
    pub(crate) image: String,
    pub(crate) hostname: Option<String>,
    pub(crate) entrypoint: Option<Vec<String>>,
    pub(crate) command: Option<Vec<String>>,
    /// `NAME=value`.
    pub(crate) env: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) workdir: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) ports: Vec<PublishedPort>,
    /// `None` for no network at all, unless `joins` names one.
    pub(crate) attachment: Option<Attachment>,
    /// A running container whose network namespace this one shares: its addresses, ports and host entries. There is no
    /// `attachment` then, and there are no `ports`, `hosts` and `hostname` of its own.
    pub(crate) joins: Option<String>,
    /// Host names with their addresses (or `host-gateway`), for `/etc/hosts`.
    pub(crate) hosts: Vec<(String, String)>,
    pub(crate) mounts: Vec<MountSpec>,
    pub(crate) memory: Option<u64>,
    pub(crate) shm_size: Option<u64>,
    pub(crate) ulimits: Vec<seatrial_model::Ulimit>,
    pub(crate) cap_add: Vec<String>,
    pub(crate) privileged: bool,
    pub(crate) platform: Option<String>,
    pub(crate) stop_signal: Option<String>,
}

/// A port of a container's, published on the engine's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublishedPort {
    pub(crate) container: u16,
    pub(crate) host_ip: IpAddr,
    /// 0 in a [`ContainerSpec`] lets the engine choose.
    pub(crate) host: u16,
}

/// Something mounted in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MountSpec {
    /// A file or directory of the engine's host.
    Bind {
        from: String,
        at: String,
        read_only: bool,
    },
    /// A volume, by name.
    Volume { name: String, at: String },
    /// A new volume that is removed with the container.
    Anonymous { at: String },
    /// A file system in memory.
    Tmpfs { at: String, size: Option<u64> },
}

impl MountSpec {
    /// Where it is in the container.
    pub(crate) fn at(&self) -> &str {
        match self {
            Self::Bind { at, .. }
            | Self::Volume { at, .. }
            | Self::Anonymous { at }
            | Self::Tmpfs { at, .. } => at,
        }
    }
}

/// What a container is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerInfo {
    pub(crate) running: bool,
    pub(crate) paused: bool,
    pub(crate) exit_code: Option<i64>,
    /// Whether the engine knows that memory was the reason. It may learn so late, or never.
    pub(crate) out_of_memory: bool,
    /// What the engine says of a start that failed; empty where it says nothing.
    pub(crate) error: String,
    pub(crate) ports: Vec<PublishedPort>,
    /// Its addresses on the networks that it is attached to, while it runs.
    pub(crate) addresses: Vec<std::net::Ipv4Addr>,
    /// Its main process as the engine's machine numbers it, while it runs.
    pub(crate) process: Option<u32>,
    /// Where its output goes, by the engine's name for it; empty where it does not say.
    pub(crate) log_driver: String,
    /// Whose network it has.
    pub(crate) network: NetworkOf,
}

/// Whose network a container has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum NetworkOf {
    /// One of its own.
    Own,
    /// That of the engine's host.
    Host,
    /// That of another container, by its id.
    Container(String),
    /// The engine does not say.
    #[default]
    Unknown,
}

/// A piece of a container's output; pieces end anywhere, also inside a line or a character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// Whether it is standard error; a terminal's output counts as standard output.
    pub(crate) stderr: bool,
    pub(crate) bytes: Vec<u8>,
}

/// A command to run in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExecSpec {
    /// What its output is for.
    pub(crate) output: OutputUse,
    pub(crate) command: Vec<String>,
    /// `NAME=value`.
    pub(crate) env: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) workdir: Option<String>,
}

/// What a command's output is for, which decides how much of it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OutputUse {
    /// An error may show its last lines.
    #[default]
    Report,
    /// It was asked for.
    Answer,
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExecResult {
    pub(crate) code: i64,
    /// The end of it, where it is long.
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// How much of standard output was dropped, at its beginning.
    pub(crate) stdout_dropped: u64,
    pub(crate) stderr_dropped: u64,
}

/// Collects a command's output.
#[derive(Debug)]
pub(crate) struct Collected {
    stdout: End,
    stderr: End,
}

impl Collected {
    pub(crate) fn new(output: OutputUse) -> Self {
        let max = match output {
            OutputUse::Report => REPORT_MAX,
            OutputUse::Answer => OUTPUT_MAX,
        };
        Self {
            stdout: End::of(max),
            stderr: End::of(max),
        }
    }

    pub(crate) fn push(&mut self, piece: &Output) {
        match piece.stderr {
            true => self.stderr.push(&piece.bytes),
            false => self.stdout.push(&piece.bytes),
        }
    }

    /// The result of a command that has ended with this code.
    pub(crate) fn ended(self, code: i64) -> ExecResult {
        let (stdout, stdout_dropped) = self.stdout.finish();
        let (stderr, stderr_dropped) = self.stderr.finish();
        ExecResult {
            code,
            stdout,
            stderr,
            stdout_dropped,
            stderr_dropped,
        }
    }
}

/// A call that failed: what it was about, and what the engine said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EngineError {
    pub(crate) kind: EngineErrorKind,
    /// What was tried, as a fragment that fits behind "cannot": `start the container`.
    pub(crate) attempt: String,
    /// The engine's own words, or the connection's.
    pub(crate) message: String,
}

impl EngineError {
    /// Without the secrets that the engine's words have, or what is quoted in ours: commands and paths.
    pub(crate) fn redacted(&self, redactor: &Redactor) -> Self {
        let marks = self.attempt.find('`').zip(self.attempt.rfind('`'));
        let attempt = match marks {
            Some((first, last)) if first < last => format!(
                "{}{}{}",
                &self.attempt[..=first],
                quoted(redactor, &self.attempt[first + 1..last]),
                &self.attempt[last..]
            ),
            _ => self.attempt.clone(),
        };
        Self {
            kind: self.kind,
            attempt,
            message: quoted(redactor, &self.message),
        }
    }
}

/// What kind of failure, as far as the engine lets it be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EngineErrorKind {
    /// The engine does not answer: not running, gone, or stopped in the middle.
    Unreachable,
    /// This user may not use the engine's socket.
    PermissionDenied,
    /// The image, container, network, volume or path is not there.
    NotFound,
    /// A name or subnet is taken, or the state does not allow it.
    Conflict,
    /// A published port is taken on the host.
    PortTaken,
    /// The engine has no space left on its device.
    NoSpace,
    /// The image is of another platform than asked for, or than the engine can run.
    Platform,
    /// The executable is not in the image, or is not executable.
    CommandNotFound,
    /// What is to be mounted is not on the engine's host.
    MountMissing,
    /// The registry refused the credentials, or wants some.
    Unauthorized,
    /// The registry cannot be reached, or the connection broke.
    Network,
    /// A build's step failed.
    Build,
    /// The kernel or the engine still uses what is to be removed: it passes.
    Busy,
    /// The container's output goes where the engine cannot read it.
    LogUnreadable,
    /// Anything else.
    Failed,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.attempt, self.message)
    }
}

impl std::error::Error for EngineError {}
