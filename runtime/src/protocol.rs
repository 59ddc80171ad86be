//! What a client and the supervisor say to each other.
//!
//! Plain data, serializable, with no reference to the memory of either side: whether the supervisor runs in this
//! process or another is nobody's business but the connection's.

mod forms;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use seatrial_model::secret::Redactor;
use seatrial_model::{Plan, Port};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::Error;
pub(crate) use crate::answers::{ExecOutput, KeptService, LogLine};
use crate::engine::PublishedPort;
use crate::run::process::ProcessId;
use crate::settings::Settings;
use crate::shown::Shown;
use crate::visible::quoted;
use crate::wire::InLane;

/// Numbers the supervisor gives to its clients.
pub(crate) type ClientId = u64;
/// Numbers a client gives to its calls; the answer carries the same.
pub(crate) type CallId = u64;
/// Numbers a client gives to its leases.
pub(crate) type LeaseId = u64;
/// Numbers the supervisor gives to instances of services.
pub(crate) type InstanceId = u64;

/// A client's message.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) call: CallId,
    pub(crate) body: RequestBody,
}

/// What a client wants.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RequestBody {
    /// The first request of a client, and not answered.
    Introduce(Box<Introduction>),
    /// Launch a composition and hold its services under this lease. Answered with [`Reply::Launched`]; once the time is up,
    /// where there is a limit, with what was waited for.
    Launch {
        lease: LeaseId,
        launch: Box<Launch>,
        within: Option<Duration>,
    },
    /// Give a lease back. Answered at once; what nobody holds any more is removed in the background.
    Release { lease: LeaseId },
    /// Do something with an instance.
    Act {
        instance: InstanceId,
        action: Action,
        caller: Caller,
    },
    /// A call of the user's function, asked for by [`Message::Hook`], has ended.
    HookEnded {
        hook: CallId,
        outcome: Result<(), HookFailure>,
    },
    /// So many [`flow`](crate::flow) units of what this call streams have been read. Not answered.
    HaveRead { stream: CallId, units: u32 },
    /// Nobody reads what this call streams any more. Not answered.
    StopStream { stream: CallId },
    /// More of the archive that [`Action::CopyIn`] unpacks, or of a command's input, as far as [`Message::HaveRead`] lets it be
    /// sent. Not answered.
    Piece {
        copy: CallId,
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// That was all of it; or why the rest will not come. Not answered.
    EndOfPieces {
        copy: CallId,
        outcome: Result<(), String>,
    },
    /// What is kept: [`Reply::Kept`].
    ListKept,
    /// Remove what is kept; what is in use goes with its last user. Answered with [`Reply::Kept`] when that is done.
    DropKept,
    /// The client's last request: all that it holds goes. Answered when that is removed, where the run ends with it, and
    /// otherwise at once.
    Close,
}

/// Who a client is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Introduction {
    /// For what it launches; or what is wrong with them, which every launch is answered with.
    #[serde(with = "forms::outcome")]
    pub(crate) settings: Result<Settings, Error>,
    /// The process with whose end its run ends; none where the run ends with the client. A keeper goes on.
    pub(crate) process: Option<ProcessId>,
}

/// What concerns one launch, call or hook stays in order; the rest does not wait for it. A client takes the numbers of its
/// leases and calls from one counter. A hook's number is the supervisor's: where it equals one of the client's, the two
/// share a lane.
impl InLane for Request {
    fn lane(&self) -> u64 {
        match &self.body {
            RequestBody::Launch { lease, .. } | RequestBody::Release { lease } => *lease,
            RequestBody::HookEnded { hook, .. } => *hook,
            RequestBody::StopStream { stream } | RequestBody::HaveRead { stream, .. } => *stream,
            RequestBody::Piece { copy, .. } | RequestBody::EndOfPieces { copy, .. } => *copy,
            RequestBody::Introduce(_)
            | RequestBody::Act { .. }
            | RequestBody::ListKept
            | RequestBody::DropKept
            | RequestBody::Close => self.call,
        }
    }
}

/// A composition to launch: the plan and what only the test process could supply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// The same for the same declaration, in every process, and for no other.
    pub(crate) identity: String,
    pub(crate) plan: Plan,
    /// Name of the test it is for, where there is one.
    pub(crate) test: Option<String>,
    /// Directory of the declaring package.
    pub(crate) package_dir: PathBuf,
    /// Root of the workspace whose source is mounted.
    pub(crate) workspace: PathBuf,
    /// Paths of built binaries, by binding.
    pub(crate) binaries: Vec<PathBuf>,
    /// Contents of included files, by binding.
    pub(crate) files: Vec<ByteBuf>,
    /// User and group id that own the source.
    pub(crate) user: (u32, u32),
    /// The services that outlive the run, by position.
    pub(crate) kept: BTreeMap<usize, Kept>,
}

/// A service that outlives the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kept {
    /// To a keeper: to be launched, unless it is there. A keeper launches nothing else.
    Wanted { key: KeptKey, stays: Duration },
    /// To a run's supervisor: the keeper has it.
    Running(Box<ServiceInfo>),
}

/// What a service is kept for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptKey {
    /// The declaration, whatever it says.
    pub(crate) slot: String,
    /// What it says, as far as that makes a difference, together with what the service cannot be separated from.
    pub(crate) content: String,
}

/// Who asks for something to be done with an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Caller {
    /// Whoever has its handle.
    Handle,
    /// A function of the user's for which the instance waits: see [`Message::Hook`].
    Hook(HookKind),
}

/// What a function of the user's is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HookKind {
    /// A readiness check: it may be called again, in this process or another.
    Ready,
    /// A setup: it is called once for an instance.
    Setup,
}

/// Why a function of the user's has not succeeded, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HookFailure {
    /// It has returned an error.
    Failed(String),
    /// It has panicked.
    Panicked(String),
}

impl HookFailure {
    /// As sentences of ours have it.
    pub(crate) fn quoted(self, redactor: &Redactor) -> Self {
        match self {
            Self::Failed(text) => Self::Failed(quoted(redactor, &text)),
            Self::Panicked(text) => Self::Panicked(quoted(redactor, &text)),
        }
    }
}

/// Something to do with an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// The whole log, or its last lines: [`Reply::Log`].
    Logs {
        tail: Option<usize>,
    },
    /// Streams every line from the first, as [`Message::Line`], until [`RequestBody::StopStream`] or the end that `until`
    /// says.
    Follow {
        until: FollowEnd,
    },
    /// [`Reply::Exec`].
    Exec(ExecCall),
    /// Asks it to end, and kills it once the patience is over, or the engine's own.
    Stop {
        patience: Option<Duration>,
    },
    /// Starts it and waits until it is ready.
    Start,
    /// Stops it, starts it and waits until it is ready.
    Restart,
    Kill {
        signal: Option<String>,
    },
    Pause,
    Unpause,
    Disconnect,
    Reconnect,
    /// Whether it has ended by now: [`Reply::Ended`].
    Ended,
    /// What its container is doing: [`Reply::Status`].
    Status,
    WaitReady,
    /// Unpacks a tar at the root, all of which comes to this path or below: what comes in [`RequestBody::Piece`]s until
    /// [`RequestBody::EndOfPieces`].
    CopyIn {
        to: String,
        /// Whether it is one file, which must not take a directory's place.
        is_file: bool,
    },
    /// Packs a file or directory and streams the tar, as [`Message::Piece`], until [`RequestBody::StopStream`].
    CopyOut {
        from: String,
        /// Whether a link is followed; otherwise it is what is packed.
        follow: bool,
    },
}

/// A command to run in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExecCall {
    pub(crate) command: Vec<String>,
    /// Names and values.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) user: Option<String>,
    pub(crate) workdir: Option<String>,
    /// Whether it has an input: what comes in [`RequestBody::Piece`]s until [`RequestBody::EndOfPieces`].
    pub(crate) has_input: bool,
}

/// When a followed log has no more lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FollowEnd {
    /// The container has stopped.
    Stopped,
    /// The container is removed: it may be started again after a stop.
    Removed,
}

/// The supervisor's message.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Message {
    /// The answer to a call.
    Answer {
        call: CallId,
        #[serde(with = "forms::outcome")]
        outcome: Result<Reply, Error>,
    },
    /// A line of a log that is followed.
    Line {
        call: CallId,
        #[serde(with = "forms::LogLineForm")]
        line: LogLine,
    },
    /// More of the archive that a call copies out.
    Piece {
        call: CallId,
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// So many [`flow`](crate::flow) units of what this call copies in have been read.
    HaveRead { call: CallId, units: u32 },
    /// Something for people to see.
    Show(Shown),
    /// Run the user's function number `binding` of the declaration that was launched under `identity`, and answer with
    /// [`RequestBody::HookEnded`].
    Hook {
        hook: CallId,
        kind: HookKind,
        identity: String,
        binding: usize,
        service: Box<ServiceInfo>,
    },
}

/// What a call streams comes before the answer that ends it.
impl InLane for Message {
    fn lane(&self) -> u64 {
        match self {
            Self::Answer { call, .. }
            | Self::Line { call, .. }
            | Self::Piece { call, .. }
            | Self::HaveRead { call, .. } => *call,
            Self::Hook { hook, .. } => *hook,
            // No call's number.
            Self::Show(_) => 0,
        }
    }
}

/// A successful answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Done,
    /// The services that were asked for, in the plan's order.
    Launched(Vec<ServiceInfo>),
    Log(String),
    /// How and when it has ended, in words; nothing of one that runs.
    Ended(Option<String>),
    Status(ContainerStatus),
    Exec(#[serde(with = "forms::ExecOutputForm")] ExecOutput),
    Kept(#[serde(with = "forms::kept_services")] Vec<KeptService>),
}

/// What a service's container is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ContainerStatus {
    Running,
    Paused,
    Exited {
        code: Option<i64>,
        /// Whether the engine knows that memory was the reason.
        out_of_memory: bool,
        /// How long ago the engine told of it.
        ago: Duration,
    },
}

/// A running service, as its handle knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceInfo {
    pub(crate) instance: InstanceId,
    pub(crate) composition: String,
    pub(crate) field: String,
    /// Host name on the network.
    pub(crate) name: String,
    pub(crate) container: String,
    /// Address on the network.
    pub(crate) address: Ipv4Addr,
    /// Host under which the published ports are reached.
    pub(crate) host: String,
    pub(crate) ports: Vec<Port>,
    pub(crate) published: Vec<PublishedPort>,
    /// The user its container runs as.
    pub(crate) owner: Owner,
    /// What is mounted in its container.
    pub(crate) mounted: Vec<Mounted>,
    pub(crate) times: Times,
}

/// Something that is mounted in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mounted {
    /// An absolute path.
    pub(crate) at: String,
    pub(crate) kind: MountedKind,
}

/// What it is that is mounted, as far as it matters to who copies files there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MountedKind {
    Source,
    /// A file or directory of this machine.
    Mount,
    Tmpfs,
    Volume,
    /// What the engine mounts in every container.
    Engines,
}

/// Whose a file is. The default is root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// How long a service took, from the launch's begin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Times {
    /// Its image was there.
    pub(crate) image: Option<Duration>,
    /// Its container was created.
    pub(crate) created: Option<Duration>,
    /// Everything it needs was ready.
    pub(crate) unblocked: Option<Duration>,
    /// Its container was started.
    pub(crate) started: Option<Duration>,
    /// Its readiness checks held.
    pub(crate) ready: Option<Duration>,
    /// Its setups were done; none where it has none.
    pub(crate) set_up: Option<Duration>,
    /// It was running before this launch asked for it.
    pub(crate) shared: bool,
}

/// What happened, for `events` in `seatrial.toml`: one JSON object a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Microseconds since the Unix epoch.
    pub(crate) at: u64,
    pub(crate) run: String,
    pub(crate) composition: String,
    pub(crate) service: String,
    pub(crate) instance: InstanceId,
    /// `image`, `created`, `starting`, `started`, `setup`, `set_up`, `ready`, `failed`, `discarded`, `exited`, `removed`.
    pub(crate) event: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) details: BTreeMap<String, String>,
}
