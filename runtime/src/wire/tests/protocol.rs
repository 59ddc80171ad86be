//! Every message of the protocol, through the stream and back, with every field set to something of its own.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use seatrial_model::{Plan, Port};

use super::plan::{plan, text};
use super::*;
use crate::cargo::{Layout, Wanted};
use crate::config::{BuildSource, Config, Fallback, Keep, SupervisorMode};
use crate::engine::{Progress, PublishedPort};
use crate::protocol::{
    Action, Caller, ContainerStatus, ExecCall, ExecOutput, FollowEnd, HookFailure, HookKind,
    Introduction, JobRun, Kept, KeptKey, KeptService, Launch, LogLine, Message, Mounted,
    MountedKind, Owner, Reply, Request, RequestBody, ServiceInfo, Times,
};
use crate::run::process::ProcessId;
use crate::settings::Settings;
use crate::shown::{ProgressReport, Shown, Work};
use crate::{Error, ErrorKind};

fn launch() -> Launch {
    Launch {
        identity: text("package::module::Shop"),
        plan: plan(),
        test: Some(text("a test")),
        package_dir: "/src/package".into(),
        workspace: "/src".into(),
        binaries: vec!["/target/server".into()],
        files: vec![ByteBuf::from([0, 0xff, 0xc1]), ByteBuf::new()],
        user: (1000, u32::MAX),
        kept: BTreeMap::from([
            (
                0,
                Kept::Wanted {
                    key: KeptKey {
                        slot: text("shop:Shop:db"),
                        content: text("hash"),
                    },
                    stays: Duration::from_secs(7200),
                },
            ),
            (1, Kept::Running(Box::new(service_info()))),
        ]),
    }
}

fn wanted() -> Wanted {
    Wanted {
        workspace: "/src".into(),
        package: text("shop"),
        name: text("server"),
        layout: Some(Layout {
            target_directory: "/src/target".into(),
            target: Some(text("x86_64-unknown-linux-musl")),
            profile: text("release"),
        }),
        cargo: Some("/usr/bin/cargo".into()),
    }
}

fn actions() -> Vec<Action> {
    vec![
        Action::Logs { tail: None },
        Action::Logs { tail: Some(20) },
        Action::Follow {
            until: FollowEnd::Stopped,
        },
        Action::Follow {
            until: FollowEnd::Removed,
        },
        Action::Exec(ExecCall {
            command: vec![text("sh"), text("-c")],
            ..ExecCall::default()
        }),
        Action::Exec(ExecCall {
            command: vec![text("cat")],
            env: vec![(text("NAME"), text("value"))],
            user: Some(text("postgres")),
            workdir: Some(text("/tmp")),
            has_input: true,
        }),
        Action::Stop { grace_period: None },
        Action::Stop {
            grace_period: Some(Duration::from_millis(1500)),
        },
        Action::Start,
        Action::Restart,
        Action::Kill { signal: None },
        Action::Kill {
            signal: Some(text("SIGHUP")),
        },
        Action::Pause,
        Action::Unpause,
        Action::Disconnect,
        Action::Reconnect,
        Action::Ended,
        Action::Status,
        Action::WaitReady,
        Action::CopyIn {
            to: text("/"),
            is_file: false,
        },
        Action::CopyIn {
            to: text("/a"),
            is_file: true,
        },
        Action::CopyOut {
            from: text("/etc"),
            follow: false,
        },
        Action::CopyOut {
            from: text("/etc"),
            follow: true,
        },
    ]
}

/// Every request, each of which would be lost if a variant did not survive.
pub(super) fn requests() -> Vec<Request> {
    let mut bodies = vec![
        introduce(Ok(settings()), Some(ProcessId { pid: 7, start: 9 })),
        introduce(Ok(settings_with(Keep::Off)), None),
        introduce(Ok(settings_with(Keep::Drop)), None),
        introduce(Err(error(ErrorKind::Configuration)), None),
        RequestBody::Binary {
            wanted: Box::new(wanted()),
            within: Some(Duration::from_secs(90)),
        },
        RequestBody::Launch {
            lease: u64::MAX,
            launch: Box::new(launch()),
            within: Some(Duration::from_millis(1500)),
        },
        RequestBody::RunJob(Box::new(JobRun {
            lease: 7,
            // That of a launch has every kind of service.
            launch: Launch {
                plan: Plan {
                    name: text("Shop"),
                    services: Vec::new(),
                },
                ..launch()
            },
            service: 2,
            beside: BTreeMap::from([(0, 3), (1, u64::MAX)]),
            within: Some(Duration::from_millis(1500)),
        })),
        RequestBody::Release { lease: 1 },
        RequestBody::HookEnded {
            hook: 2,
            outcome: Ok(()),
        },
        RequestBody::HookEnded {
            hook: 5,
            outcome: Err(HookFailure::Failed(text("it failed"))),
        },
        RequestBody::HookEnded {
            hook: 6,
            outcome: Err(HookFailure::Panicked(text("it panicked"))),
        },
        RequestBody::HaveRead {
            stream: 3,
            units: 256,
        },
        RequestBody::StopStream { stream: 3 },
        RequestBody::Piece {
            copy: 3,
            bytes: vec![0, 0xff, 0xc1],
        },
        RequestBody::EndOfPieces {
            copy: 3,
            outcome: Ok(()),
        },
        RequestBody::EndOfPieces {
            copy: 4,
            outcome: Err(text("it is gone")),
        },
        RequestBody::ListKept,
        RequestBody::DropKept,
        RequestBody::Close,
    ];
    bodies.extend(actions().into_iter().map(|action| RequestBody::Act {
        instance: 4,
        action,
        caller: Caller::Hook(HookKind::Ready),
    }));
    (100..)
        .zip(bodies)
        .map(|(call, body)| Request { call, body })
        .collect()
}

fn introduce(settings: Result<Settings, Error>, process: Option<ProcessId>) -> RequestBody {
    RequestBody::Introduce(Box::new(Introduction { settings, process }))
}

/// Every key, and every way to get an image.
fn settings() -> Settings {
    settings_with(Keep::For(Duration::from_secs(7200)))
}

fn settings_with(keep: Keep) -> Settings {
    let mut config = Config::load("/nowhere".as_ref(), &|_| None).expect("the defaults");
    config.keep = keep;
    config.engine = Some(text("podman"));
    config.events = Some(PathBuf::from("/nowhere/events"));
    config.supervisor = SupervisorMode::Process;
    let image = |name: &str| name.parse().expect("an image");
    let images = &mut config.images;
    images.pull = seatrial_model::Pull::Always;
    images.mirrors = [(text("docker.io"), vec![text("mirror.example")])].into();
    images.substitutions = [(image("postgres:15"), image("team/postgres:15"))].into();
    let build = Fallback::Build(BuildSource {
        context: PathBuf::from("/nowhere/context"),
        dockerfile: text("Dockerfile"),
        target: Some(text("server")),
        args: [(text("VERSION"), text("1"))].into(),
    });
    let script = Fallback::Script(PathBuf::from("/nowhere/script"));
    images.fallbacks = [(image("redis:7"), build), (image("debian"), script)].into();
    Settings {
        config,
        variables: [(text("HOME"), text("/nowhere"))].into(),
        uses_proxy: true,
    }
}

fn service_info() -> ServiceInfo {
    let published = |host_ip: &str| PublishedPort {
        container: 80,
        host_ip: host_ip.parse().expect("an address"),
        host: 30000,
    };
    ServiceInfo {
        instance: 5,
        composition: text("Shop"),
        field: text("user_db"),
        name: text("user-db"),
        container: text("0123456789ab"),
        address: Ipv4Addr::new(10, 0, 0, 7),
        host: text("127.0.0.1"),
        ports: vec![Port {
            name: None,
            number: 80,
        }],
        published: vec![published("127.0.0.1"), published("::1")],
        owner: Owner {
            uid: 1000,
            gid: u32::MAX,
        },
        mounted: vec![Mounted {
            at: text("/tmp"),
            kind: MountedKind::Tmpfs,
        }],
        times: Times {
            set_up: Some(Duration::from_secs(4)),
            image: Some(Duration::ZERO),
            created: Some(Duration::from_nanos(999_999_999)),
            unblocked: Some(Duration::MAX),
            started: None,
            ready: Some(Duration::from_secs(1)),
            shared: true,
            ahead: true,
        },
    }
}

fn error(kind: ErrorKind) -> Error {
    Error::new(kind, "cannot start the container").with(|report| {
        report.composition = Some(text("Shop"));
        report.service = Some(text("db"));
        report.details = vec![text("detail")];
        report.exit_code = Some(i64::MIN);
        report.log = vec![text("line")];
        report.not_started = vec![text("app")];
        report.also = vec![(text("cache"), text("exited"))];
        report.help = Some(text("try again"));
    })
}

pub(super) fn messages() -> Vec<Message> {
    let replies = [
        Reply::Done,
        Reply::Binary("/src/target/debug/server".into()),
        Reply::Launched(vec![service_info()]),
        Reply::Log(text("log")),
        Reply::Ended(None),
        Reply::Ended(Some(text("code 1"))),
        Reply::Status(ContainerStatus::Running),
        Reply::Status(ContainerStatus::Paused),
        Reply::Status(ContainerStatus::Exited {
            code: Some(i64::MIN),
            out_of_memory: true,
            ago: Duration::from_nanos(1),
        }),
        Reply::Exec(ExecOutput {
            code: i64::MIN,
            stdout: text("out"),
            stderr: text("err"),
            truncated: u64::MAX,
        }),
        Reply::Kept(vec![KeptService {
            composition: text("Shop"),
            service: text("db"),
            image: text("redis:7"),
            container: text("c0ffee"),
            idle: Some(Duration::from_nanos(1)),
            stays: Duration::from_secs(7200),
        }]),
    ];
    let kinds = [
        ErrorKind::Engine,
        ErrorKind::Configuration,
        ErrorKind::Image,
        ErrorKind::Build,
        ErrorKind::Start,
        ErrorKind::Exited,
        ErrorKind::NotReady,
        ErrorKind::Setup,
        ErrorKind::Job,
        ErrorKind::Operation,
        ErrorKind::Files,
        ErrorKind::TimedOut,
        ErrorKind::Interrupted,
    ];
    let outcomes = replies
        .map(Ok)
        .into_iter()
        .chain(kinds.map(|kind| Err(error(kind))))
        .chain([Err(Error::new(ErrorKind::Engine, ""))]);
    let mut messages: Vec<_> = (200..)
        .zip(outcomes)
        .map(|(call, outcome)| Message::Answer { call, outcome })
        .collect();
    let layer = Progress::Layer {
        id: text("layer"),
        status: text("Downloading"),
        current: Some(1),
        total: None,
    };
    let reports = [
        ProgressReport::Note(text("note")),
        ProgressReport::Begun {
            task: 1,
            work: Work::Pull,
            image: text("redis:7"),
        },
        ProgressReport::Engine {
            task: 1,
            progress: layer,
        },
        ProgressReport::Engine {
            task: 1,
            progress: Progress::Line(text("Step 1")),
        },
        ProgressReport::Bytes { task: 1, more: 2 },
        ProgressReport::Done { task: 1 },
        ProgressReport::Failed { task: 1 },
    ];
    let shown = reports.map(Shown::Progress).into_iter();
    let shown = shown.chain([Shown::Text(text("line\n"))]);
    messages.extend(shown.map(Message::Show));
    messages.extend([
        Message::Line {
            call: 6,
            line: LogLine {
                stderr: true,
                text: text("line"),
            },
        },
        Message::Piece {
            call: 6,
            bytes: vec![0, 0xff, 0xc1],
        },
        Message::HaveRead {
            call: 6,
            units: 256,
        },
        Message::Hook {
            hook: 7,
            kind: HookKind::Setup,
            identity: text("package::Shop"),
            binding: 1,
            service: Box::new(service_info()),
        },
    ]);
    messages
}

#[tokio::test]
async fn every_request_survives() {
    let (received, end) = all::<Request>(&written(requests()).await).await;
    end.expect("the stream is whole");
    assert_eq!(by_lane(received), by_lane(requests()));
}

/// Only within a lane is there an order.
fn by_lane<T: InLane>(mut messages: Vec<T>) -> Vec<T> {
    messages.sort_by_key(InLane::lane);
    messages
}

#[tokio::test]
async fn every_message_survives() {
    let (received, end) = all::<Message>(&written(messages()).await).await;
    end.expect("the stream is whole");
    assert_eq!(by_lane(received), by_lane(messages()));
}

#[test]
fn what_belongs_together_is_in_one_lane() {
    let lane = |body| Request { call: 50, body }.lane();
    let [launch, of_job] = [launch(), launch()];
    let launch = Box::new(launch);
    assert_eq!(
        lane(RequestBody::Launch {
            lease: 9,
            launch,
            within: None
        }),
        9
    );
    assert_eq!(lane(RequestBody::Release { lease: 9 }), 9);
    let job = JobRun {
        lease: 9,
        launch: of_job,
        service: 0,
        beside: BTreeMap::new(),
        within: None,
    };
    // Its call has the number of its lease.
    assert_eq!(lane(RequestBody::RunJob(Box::new(job))), 9);
    let action = Action::Stop { grace_period: None };
    assert_eq!(
        lane(RequestBody::Act {
            instance: 9,
            action,
            caller: Caller::Handle,
        }),
        50
    );
    let outcome = Ok(());
    assert_eq!(lane(RequestBody::HookEnded { hook: 8, outcome }), 8);
    assert_eq!(lane(RequestBody::StopStream { stream: 7 }), 7);
    let read = RequestBody::HaveRead {
        stream: 7,
        units: 1,
    };
    assert_eq!(lane(read), 7);
    let bytes = vec![1];
    assert_eq!(lane(RequestBody::Piece { copy: 6, bytes }), 6);
    let outcome = Ok(());
    assert_eq!(lane(RequestBody::EndOfPieces { copy: 6, outcome }), 6);
    assert_eq!(lane(RequestBody::Close), 50);
    for message in messages() {
        let expected = match &message {
            Message::Answer { call, .. }
            | Message::Line { call, .. }
            | Message::Piece { call, .. }
            | Message::HaveRead { call, .. } => *call,
            Message::Hook { hook, .. } => *hook,
            Message::Show(_) => 0,
        };
        assert_eq!(message.lane(), expected);
    }
}

#[tokio::test]
async fn bytes_are_not_written_as_numbers() {
    let tar = vec![0xff; 1000];
    let request = Request {
        call: 1,
        body: RequestBody::Piece {
            copy: 1,
            bytes: tar.clone(),
        },
    };
    let mut launch = launch();
    launch.files = vec![ByteBuf::from(tar.clone())];
    let launch = Request {
        call: 2,
        body: RequestBody::Launch {
            lease: 2,
            launch: Box::new(launch),
            within: None,
        },
    };
    let piece = Message::Piece {
        call: 3,
        bytes: tar.clone(),
    };
    for bytes in [
        written([request]).await,
        written([launch]).await,
        written([piece]).await,
    ] {
        let whole = bytes.windows(tar.len()).any(|window| window == tar);
        assert!(whole, "the bytes are not one piece");
    }
}
