//! The messages between a client and the supervisor.
//!
//! They are plain serializable data without references to the memory of either side. Only the connection knows whether the
//! supervisor runs in this process or in another.

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
use crate::cargo::Wanted;
use crate::engine::PublishedPort;
use crate::run::process::ProcessId;
use crate::settings::Settings;
use crate::shown::Shown;
use crate::visible::quoted;
use crate::wire::InLane;

/// The number that the supervisor gives to a client.
pub(crate) type ClientId = u64;
/// The number that a client gives to a call. The answer has the same number.
pub(crate) type CallId = u64;
/// The number that a client gives to a lease.
pub(crate) type LeaseId = u64;
/// The number that the supervisor gives to an instance of a service.
pub(crate) type InstanceId = u64;

/// A client's message.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) call: CallId,
    pub(crate) body: RequestBody,
}

/// The content of a client's message.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RequestBody {
    /// The first request of a client. Not answered.
    Introduce(Box<Introduction>),
    /// Have a binary of the workspace built. Answered with [`Reply::Binary`]. If a time limit is exceeded, the error says so.
    Binary {
        wanted: Box<Wanted>,
        within: Option<Duration>,
    },
    /// Launch a composition and hold its services under this lease. Answered with [`Reply::Launched`]. If a time limit is exceeded,
    /// the error says what was waited for.
    Launch {
        lease: LeaseId,
        launch: Box<Launch>,
        within: Option<Duration>,
    },
    /// Run a job beside the services of a launch. Its output is streamed as [`Message::Line`]s. Answered with [`Reply::Launched`] when
    /// it has exited with 0, and with an error when it has failed. The number of the call is that of the lease.
    RunJob(Box<JobRun>),
    /// Give a lease back. Answered at once. Services that nobody holds any more are removed in the background.
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
    /// So many [`flow`](crate::flow) units of this call's stream have been read. Not answered.
    HaveRead { stream: CallId, units: u32 },
    /// Nobody reads this call's stream any more. Not answered.
    StopStream { stream: CallId },
    /// The next piece of the archive that [`Action::CopyIn`] unpacks, or of a command's input. [`Message::HaveRead`] limits how much
    /// may be sent. Not answered.
    Piece {
        copy: CallId,
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// The end of the pieces. An error says why the rest will not come. Not answered.
    EndOfPieces {
        copy: CallId,
        outcome: Result<(), String>,
    },
    /// List the kept services. Answered with [`Reply::Kept`].
    ListKept,
    /// Remove the kept services. A service in use is removed when its last user is done. Answered with [`Reply::Kept`] when the
    /// others are removed.
    DropKept,
    /// The client's last request: give back everything that it holds. If the run ends with it, answered when everything is removed;
    /// otherwise answered at once.
    Close,
}

/// A client's introduction of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Introduction {
    /// The settings for its launches. If they are wrong, every launch is answered with the error.
    #[serde(with = "forms::outcome")]
    pub(crate) settings: Result<Settings, Error>,
    /// The process with which its run ends. `None` if the run ends with the client. A keeper goes on.
    pub(crate) process: Option<ProcessId>,
}

/// Messages about the same launch, call or hook stay in order. Other messages do not wait for them. A client takes the numbers of its
/// leases and calls from one counter. The supervisor numbers hooks: if such a number equals one of the client's, the two share a
/// lane.
impl InLane for Request {
    fn lane(&self) -> u64 {
        match &self.body {
            RequestBody::Launch { lease, .. } | RequestBody::Release { lease } => *lease,
            RequestBody::HookEnded { hook, .. } => *hook,
            RequestBody::StopStream { stream } | RequestBody::HaveRead { stream, .. } => *stream,
            RequestBody::Piece { copy, .. } | RequestBody::EndOfPieces { copy, .. } => *copy,
            RequestBody::RunJob(job) => job.lease,
            RequestBody::Introduce(_)
            | RequestBody::Binary { .. }
            | RequestBody::Act { .. }
            | RequestBody::ListKept
            | RequestBody::DropKept
            | RequestBody::Close => self.call,
        }
    }
}

/// A composition to launch: the plan, and the values that only the test process has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// Identifies the declaration, in every process.
    pub(crate) identity: String,
    pub(crate) plan: Plan,
    /// The name of the test that launches, if any.
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

/// A run of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobRun {
    /// Holds the job's container.
    pub(crate) lease: LeaseId,
    pub(crate) launch: Launch,
    /// The job's position in the plan.
    pub(crate) service: usize,
    /// The instances of the launch that run, by position.
    pub(crate) beside: BTreeMap<usize, InstanceId>,
    pub(crate) within: Option<Duration>,
}

/// A service that outlives the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kept {
    /// To a keeper: launch the service, unless it runs. A keeper launches nothing else.
    Wanted { key: KeptKey, stays: Duration },
    /// To a run's supervisor: the keeper has the service.
    Running(Box<ServiceInfo>),
}

/// The key of a kept service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptKey {
    /// Identifies the declaration, without its content.
    pub(crate) slot: String,
    /// A fingerprint of the declaration's content, together with the services that this one cannot be separated from.
    pub(crate) content: String,
}

/// The caller of an action on an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Caller {
    /// A holder of the instance's handle.
    Handle,
    /// A user's function for which the instance waits, see [`Message::Hook`].
    Hook(HookKind),
}

/// The purpose of a user's function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HookKind {
    /// A readiness check. It may be called again, in this process or another.
    Ready,
    /// A setup. It is called once for an instance.
    Setup,
}

/// Why a user's function has failed, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HookFailure {
    /// It has returned an error.
    Failed(String),
    /// It has panicked.
    Panicked(String),
}

impl HookFailure {
    /// The failure as messages quote it: without secrets and control sequences.
    pub(crate) fn quoted(self, redactor: &Redactor) -> Self {
        match self {
            Self::Failed(text) => Self::Failed(quoted(redactor, &text)),
            Self::Panicked(text) => Self::Panicked(quoted(redactor, &text)),
        }
    }
}

/// An action on an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Read the log, or its last lines. Answered with [`Reply::Log`].
    Logs {
        tail: Option<usize>,
    },
    /// Stream every line from the first, as [`Message::Line`], until [`RequestBody::StopStream`] or the end that `until` names.
    Follow {
        until: FollowEnd,
    },
    /// Run a command. Answered with [`Reply::Exec`].
    Exec(ExecCall),
    /// Ask it to end, and kill it after this time, or after the engine's default.
    Stop {
        grace_period: Option<Duration>,
    },
    /// Start it and wait until it is ready.
    Start,
    /// Stop it, start it and wait until it is ready.
    Restart,
    Kill {
        signal: Option<String>,
    },
    Pause,
    Unpause,
    Disconnect,
    Reconnect,
    /// Ask whether it has ended. Answered with [`Reply::Ended`].
    Ended,
    /// Ask for the status of its container. Answered with [`Reply::Status`].
    Status,
    WaitReady,
    /// Unpack a tar at the root. All of its entries are at this path or below. The tar comes in [`RequestBody::Piece`]s until
    /// [`RequestBody::EndOfPieces`].
    CopyIn {
        to: String,
        /// Whether it is one file or link, which must not take a directory's place.
        is_file: bool,
    },
    /// Pack a file or directory and stream the tar, as [`Message::Piece`], until [`RequestBody::StopStream`].
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
    /// Whether it has an input, which comes in [`RequestBody::Piece`]s until [`RequestBody::EndOfPieces`].
    pub(crate) has_input: bool,
}

/// The end of a followed log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FollowEnd {
    /// The container has stopped.
    Stopped,
    /// The container is removed. A stopped one may be started again.
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
    /// The next piece of the archive that a call copies out.
    Piece {
        call: CallId,
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// So many [`flow`](crate::flow) units of the pieces of this call have been read.
    HaveRead { call: CallId, units: u32 },
    /// A text or progress for people to see.
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

/// The stream of a call must come before the answer that ends it.
impl InLane for Message {
    fn lane(&self) -> u64 {
        match self {
            Self::Answer { call, .. }
            | Self::Line { call, .. }
            | Self::Piece { call, .. }
            | Self::HaveRead { call, .. } => *call,
            Self::Hook { hook, .. } => *hook,
            // 0 is not the number of a call.
            Self::Show(_) => 0,
        }
    }
}

/// A successful answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Done,
    /// The path of a binary.
    Binary(PathBuf),
    /// The launched services, in the plan's order.
    Launched(Vec<ServiceInfo>),
    Log(String),
    /// How and when it has ended, as text. `None` if it runs.
    Ended(Option<String>),
    Status(ContainerStatus),
    Exec(#[serde(with = "forms::ExecOutputForm")] ExecOutput),
    Kept(#[serde(with = "forms::kept_services")] Vec<KeptService>),
}

/// The status of a service's container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ContainerStatus {
    Running,
    Paused,
    Exited {
        code: Option<i64>,
        /// Whether the engine knows that memory was the reason.
        out_of_memory: bool,
        /// The time since the engine reported it.
        ago: Duration,
    },
}

/// The data of a running service, for its handle.
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
    /// Where the tests reach it: the host of the published ports, or its address if they reach that.
    pub(crate) host: String,
    pub(crate) ports: Vec<Port>,
    /// Empty if the tests reach its address.
    pub(crate) published: Vec<PublishedPort>,
    /// The user its container runs as.
    pub(crate) owner: Owner,
    /// The mounts of its container.
    pub(crate) mounted: Vec<Mounted>,
    pub(crate) times: Times,
}

impl ServiceInfo {
    /// The port at its host where the tests reach one of its declared ports.
    pub(crate) fn port_at_host(&self, declared: u16) -> u16 {
        let published = self.published.iter().find(|it| it.container == declared);
        published.map_or(declared, |published| published.host)
    }

    /// Attributes the error to this service.
    pub(crate) fn attribute(&self, error: Error) -> Error {
        error.with(|report| {
            report.composition = Some(self.composition.clone());
            report.service = Some(self.field.clone());
        })
    }

    /// Names the composition, too, in an error that is attributed to this service.
    pub(crate) fn with_composition(&self, error: Error) -> Error {
        error.with(|report| {
            if report.service.as_ref() == Some(&self.field) {
                let composition = &mut report.composition;
                composition.get_or_insert_with(|| self.composition.clone());
            }
        })
    }
}

/// A mount of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mounted {
    /// An absolute path.
    pub(crate) at: String,
    pub(crate) kind: MountedKind,
}

/// The kind of a mount, as far as copying files needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MountedKind {
    Source,
    /// A file or directory of this machine.
    Mount,
    Tmpfs,
    Volume,
    /// A mount that the engine makes in every container.
    Engines,
}

/// The owner of a file. The default is root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The times of the steps of a service, since the beginning of the launch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Times {
    /// Its image was obtained.
    pub(crate) image: Option<Duration>,
    /// Its container was created.
    pub(crate) created: Option<Duration>,
    /// Everything it needs was ready.
    pub(crate) unblocked: Option<Duration>,
    /// Its container was started.
    pub(crate) started: Option<Duration>,
    /// Its readiness checks held.
    pub(crate) ready: Option<Duration>,
    /// Its setups were done. `None` if it has no setups.
    pub(crate) set_up: Option<Duration>,
    /// It was running before this launch asked for it.
    pub(crate) shared: bool,
    /// It was begun before this launch asked for it, for the launch alone. If it was ready by then, there are no times.
    pub(crate) ahead: bool,
}

/// An event, for `events` in `seatrial.toml`: one JSON object per line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Microseconds since the Unix epoch.
    pub(crate) at: u64,
    pub(crate) run: String,
    pub(crate) composition: String,
    pub(crate) service: String,
    pub(crate) instance: InstanceId,
    /// One of:
    ///
    /// * `image`: its image was obtained.
    /// * `created`, `removed`: a container of it was. The detail `container` is the id.
    /// * `starting`: everything that it needs is ready. `started`: its container was started, also again.
    /// * `setup`, `set_up`: the setup with the title `setup` begins, is done.
    /// * `ready`: it is ready, also after another start. `failed`: it did not come up, because of `what`. `discarded`: it is replaced,
    ///   because its setup was interrupted.
    /// * `taken`: a launch has it that was brought up ahead of the launch.
    /// * `exited`: its container has ended with the exit code `code`, by itself or because it was stopped. The removal of a running
    ///   container is not such an end.
    /// * `stopped`, `killed`: it has ended because a handle asked for that.
    pub(crate) event: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) details: BTreeMap<String, String>,
}
