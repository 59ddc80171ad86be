//! Several clients of one supervisor.

use seatrial_model::{Check, CheckKind, Scope, ServicePlan};
use tokio::sync::mpsc;

use super::{lasting, launch, script};
use crate::config::Config;
use crate::flow::{PIECE, WINDOW};
use crate::protocol::{
    Action, Caller, ClientId, ExecOutput, FollowEnd, HookKind, Introduction, Launch, Message,
    Owner, Reply, Request, RequestBody, ServiceInfo,
};
use crate::run::process::ProcessId;
use crate::settings::Settings;
use crate::supervisor::Role;
use crate::supervisor::messages::Input;
use crate::supervisor::sweep::History;
use crate::supervisor::table::Supervisor;
use crate::{Error, ErrorKind};

/// A supervisor on a thread of its own.
pub(super) struct Run {
    /// `None` once the run is over.
    inputs: Option<mpsc::UnboundedSender<Input>>,
    serving: Option<std::thread::JoinHandle<()>>,
    clients: ClientId,
    role: Role,
}

/// Ends the run; nothing is left.
impl Drop for Run {
    fn drop(&mut self) {
        if let Some(inputs) = self.inputs.take() {
            for client in 1..=self.clients {
                let _ = inputs.send(Input::Disconnected { client });
            }
            let _ = inputs.send(match self.role {
                Role::Run => Input::RunGoesOn(false),
                // Also what it keeps.
                Role::Keeper => Input::End,
            });
        }
        if let Some(serving) = self.serving.take() {
            serving.join().expect("the supervisor ends by itself");
        }
    }
}

impl Run {
    pub(super) fn new() -> Self {
        Self::of(Role::Run)
    }

    /// A supervisor that belongs to no run.
    pub(super) fn keeper() -> Self {
        Self::of(Role::Keeper)
    }

    fn of(role: Role) -> Self {
        let (inputs, from_clients) = mpsc::unbounded_channel();
        // A keeper also waits for its first client.
        let _ = inputs.send(Input::RunGoesOn(true));
        let serving = std::thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut supervisor = Supervisor::new(role, History::default(), from_clients);
                supervisor.serve().await;
                supervisor.close().await;
            });
        });
        Self {
            inputs: Some(inputs),
            serving: Some(serving),
            clients: 0,
            role,
        }
    }

    /// Waits until the supervisor ends by itself.
    pub(super) fn ended(mut self) {
        let inputs = self.inputs.take().expect("it serves");
        let _ = inputs.send(Input::RunGoesOn(false));
        drop(inputs);
        let serving = self.serving.take().expect("it serves");
        serving.join().expect("the supervisor ends by itself");
    }

    pub(super) fn connect(&mut self) -> Peer {
        let workspace = crate::workspace::of_process();
        let config = Config::of_process(&workspace).expect("the workspace's configuration");
        self.connect_with(config, None)
    }

    /// A client of the run that ends with this process.
    pub(super) fn connect_of(&mut self, process: ProcessId) -> Peer {
        let workspace = crate::workspace::of_process();
        let config = Config::of_process(&workspace).expect("the workspace's configuration");
        self.connect_with(config, Some(process))
    }

    /// Reports that the process of a run has ended.
    pub(super) fn run_ended(&mut self, process: ProcessId) {
        let inputs = self.inputs.as_ref().expect("it serves");
        let terminal = None;
        let _ = inputs.send(Input::RunEnded { process, terminal });
    }

    pub(super) fn connect_with(&mut self, config: Config, process: Option<ProcessId>) -> Peer {
        let inputs = self.inputs.clone().expect("the run goes on");
        self.clients += 1;
        let client = self.clients;
        let (messages, received) = mpsc::unbounded_channel();
        let _ = inputs.send(Input::Connected { client, messages });
        let mut peer = Peer {
            inputs,
            client,
            messages: received,
            next: 0,
        };
        let introduction = Box::new(Introduction {
            settings: Ok(Settings::new(config)),
            process,
        });
        peer.send(RequestBody::Introduce(introduction));
        peer
    }
}

/// One client.
pub(super) struct Peer {
    inputs: mpsc::UnboundedSender<Input>,
    client: ClientId,
    messages: mpsc::UnboundedReceiver<Message>,
    next: u64,
}

impl Peer {
    pub(super) fn send(&mut self, body: RequestBody) -> u64 {
        self.next += 1;
        let request = Request {
            call: self.next,
            body,
        };
        let client = self.client;
        let _ = self.inputs.send(Input::Request { client, request });
        self.next
    }

    pub(super) async fn next(&mut self) -> Message {
        self.messages.recv().await.expect("a message")
    }

    pub(super) async fn answer(&mut self, wanted: u64) -> Result<Reply, Error> {
        loop {
            match self.next().await {
                Message::Answer { call, outcome } if call == wanted => return outcome,
                Message::Hook { .. } => panic!("no function is awaited"),
                _ => {}
            }
        }
    }

    pub(super) fn begin_launch(&mut self, services: Vec<ServicePlan>) -> u64 {
        self.begin(launch(services))
    }

    pub(super) fn begin(&mut self, launch: Launch) -> u64 {
        let launch = Box::new(launch);
        self.send(RequestBody::Launch {
            lease: 1,
            launch,
            within: None,
        })
    }

    pub(super) async fn launched(&mut self, call: u64) -> Result<Vec<ServiceInfo>, Error> {
        match self.answer(call).await? {
            Reply::Launched(services) => Ok(services),
            other => panic!("not {other:?}"),
        }
    }

    pub(super) async fn launch(
        &mut self,
        services: Vec<ServicePlan>,
    ) -> Result<Vec<ServiceInfo>, Error> {
        let call = self.begin_launch(services);
        self.launched(call).await
    }

    pub(super) async fn act(
        &mut self,
        service: &ServiceInfo,
        action: Action,
        caller: Caller,
    ) -> Result<Reply, Error> {
        let call = self.begin_act(service, action, caller);
        self.answer(call).await
    }

    pub(super) fn begin_act(
        &mut self,
        service: &ServiceInfo,
        action: Action,
        caller: Caller,
    ) -> u64 {
        self.send(RequestBody::Act {
            instance: service.instance,
            action,
            caller,
        })
    }

    pub(super) async fn exec(
        &mut self,
        service: &ServiceInfo,
        caller: Caller,
    ) -> Result<ExecOutput, Error> {
        let command = vec!["true".to_owned()];
        match self.act(service, super::exec_call(command), caller).await? {
            Reply::Exec(output) => Ok(output),
            other => panic!("not {other:?}"),
        }
    }

    /// The call of a user's function.
    pub(super) async fn hook(&mut self) -> (u64, ServiceInfo) {
        loop {
            if let Message::Hook { hook, service, .. } = self.next().await {
                return (hook, *service);
            }
        }
    }

    /// Copies an archive to `/` without regard to how much of it may be sent.
    pub(super) async fn copy_in(
        &mut self,
        service: &ServiceInfo,
        tar: Vec<u8>,
        caller: Caller,
    ) -> Result<Reply, Error> {
        let copy = self.send(RequestBody::Act {
            instance: service.instance,
            action: Action::CopyIn {
                to: "/".to_owned(),
                is_file: false,
            },
            caller,
        });
        for bytes in tar.chunks(PIECE).map(<[u8]>::to_vec) {
            self.send(RequestBody::Piece { copy, bytes });
        }
        let outcome = Ok(());
        self.send(RequestBody::EndOfPieces { copy, outcome });
        self.answer(copy).await
    }

    /// The call of a user's function, if it has come.
    pub(super) fn hook_if_asked(&mut self) -> Option<(u64, ServiceInfo)> {
        while let Ok(message) = self.messages.try_recv() {
            if let Message::Hook { hook, service, .. } = message {
                return Some((hook, *service));
            }
        }
        None
    }

    pub(super) fn end_hook(&mut self, hook: u64) {
        let outcome = Ok(());
        self.send(RequestBody::HookEnded { hook, outcome });
    }

    pub(super) fn disconnect(self) {
        let client = self.client;
        let _ = self.inputs.send(Input::Disconnected { client });
    }
}

pub(super) const IN_CHECK: Caller = Caller::Hook(HookKind::Ready);

pub(super) fn scoped(mut service: ServicePlan, scope: Scope) -> ServicePlan {
    service.scope = scope;
    service
}

pub(super) fn hooked(field: &str) -> ServicePlan {
    let mut service = lasting(field, &[]);
    service.ready.push(Check {
        kind: CheckKind::Hook {
            binding: 0,
            name: "looks".to_owned(),
        },
    });
    service
}

#[tokio::test]
async fn engine_clients_that_number_alike_hold_their_own() {
    let mut run = Run::new();
    let (mut one, mut other) = (run.connect(), run.connect());
    let both = (
        one.begin_launch(vec![lasting("own", &[])]),
        other.begin_launch(vec![lasting("own", &[])]),
    );
    assert_eq!(both.0, both.1, "the same numbers");
    let first = one.launched(both.0).await.expect("ready").remove(0);
    let second = other.launched(both.1).await.expect("ready").remove(0);
    assert_ne!(first.container, second.container);

    one.disconnect();
    let error = other
        .exec(&first, Caller::Handle)
        .await
        .expect_err("it is gone");
    assert!(error.to_string().contains("gone"), "{error}");
    let output = other.exec(&second, Caller::Handle).await;
    assert!(output.expect("it is there").success());
}

#[tokio::test]
async fn engine_a_service_of_the_run_is_shared_by_all_clients() {
    let mut run = Run::new();
    let services = || {
        vec![
            scoped(lasting("of_run", &[]), Scope::Run),
            scoped(lasting("of_process", &[0]), Scope::Binary),
            lasting("of_test", &[1]),
        ]
    };
    let mut first = run.connect();
    first.begin_launch(services());
    let mut clients: Vec<Peer> = (0..3).map(|_| run.connect()).collect();
    let calls: Vec<u64> = clients
        .iter_mut()
        .map(|client| client.begin_launch(services()))
        .collect();
    // Nothing is ready yet.
    first.disconnect();
    let mut launched = Vec::new();
    for (client, call) in clients.iter_mut().zip(calls) {
        launched.push(client.launched(call).await.expect("all are ready"));
    }
    for services in &launched[1..] {
        assert_eq!(services[0].container, launched[0][0].container);
        for own in 1..3 {
            assert_ne!(services[own].container, launched[0][own].container);
        }
    }
    for client in clients.drain(..) {
        client.disconnect();
    }
    // Nobody holds it, and the run goes on.
    let mut late = run.connect();
    let late = late.launch(services()).await.expect("all are ready");
    assert_eq!(late[0].container, launched[0][0].container);
    assert!(late[0].times.shared);
    assert!(!late[1].times.shared);
}

#[tokio::test]
async fn engine_a_function_is_run_by_another_process_where_its_own_has_ended() {
    let mut run = Run::new();
    let services = || vec![scoped(hooked("hooked"), Scope::Run)];
    let (mut one, mut other) = (run.connect(), run.connect());
    one.begin_launch(services());
    let call = other.begin_launch(services());
    one.hook().await;
    one.disconnect();
    let (hook, service) = other.hook().await;
    other.end_hook(hook);
    let launched = other.launched(call).await.expect("it is ready");
    assert_eq!(launched[0].container, service.container);
}

#[tokio::test]
async fn engine_a_readiness_function_does_anything_to_its_service_without_waiting_for_itself() {
    let mut run = Run::new();
    let mut client = run.connect();
    let mut service = hooked("hooked");
    // The service ends at once when it is restarted.
    service.stop_signal = Some("SIGKILL".to_owned());
    let call = client.begin_launch(vec![service]);
    let (hook, service) = client.hook().await;
    let done = [
        Action::Pause,
        Action::Unpause,
        Action::Restart,
        Action::Kill { signal: None },
        Action::Start,
        Action::Disconnect,
        Action::Reconnect,
    ];
    for action in done {
        let done = client.act(&service, action.clone(), IN_CHECK).await;
        assert_eq!(done, Ok(Reply::Done), "{action:?}");
    }
    let mut tar = Vec::new();
    let packed = crate::files::pack(
        env!("CARGO_MANIFEST_DIR").as_ref(),
        "/tmp/copied",
        Owner::default(),
        &mut tar,
    );
    packed.expect("a tar").into_result().expect("all of it");
    let copied = client.copy_in(&service, tar, IN_CHECK).await;
    assert_eq!(copied, Ok(Reply::Done));
    assert!(
        client
            .exec(&service, IN_CHECK)
            .await
            .expect("it runs")
            .success()
    );
    let follow = client.send(RequestBody::Act {
        instance: service.instance,
        action: Action::Follow {
            until: FollowEnd::Removed,
        },
        caller: Caller::Hook(HookKind::Ready),
    });
    loop {
        if let Message::Line { call, line } = client.next().await {
            assert_eq!((call, &*line.text), (follow, "up"));
            break;
        }
    }
    let error = client.act(&service, Action::WaitReady, IN_CHECK).await;
    let error = error.expect_err("it would wait for itself");
    assert!(
        error.to_string().contains("help: check the service"),
        "{error}"
    );
    client.end_hook(hook);
    client.launched(call).await.expect("it is ready");
}

#[tokio::test]
async fn engine_lines_are_sent_only_as_they_are_read() {
    let mut run = Run::new();
    let mut client = run.connect();
    let mut service = script("talks", "seq 3000; echo up; exec sleep infinity", &[]);
    service.ready = vec![super::log("up")];
    let service = client.launch(vec![service]).await.expect("ready").remove(0);
    let follow = client.send(RequestBody::Act {
        instance: service.instance,
        action: Action::Follow {
            until: FollowEnd::Removed,
        },
        caller: Caller::Handle,
    });
    let mut expected = 1..;
    // A short line counts as one unit.
    for count in [WINDOW as usize, 10] {
        for number in expected.by_ref().take(count) {
            match client.next().await {
                Message::Line { call, line } => {
                    assert_eq!((call, line.text), (follow, number.to_string()));
                }
                other => panic!("not {other:?}"),
            }
        }
        // The engine has sent more long before it has run a command.
        let command = vec!["true".to_owned()];
        let exec = client.send(RequestBody::Act {
            instance: service.instance,
            action: super::exec_call(command),
            caller: Caller::Handle,
        });
        match client.next().await {
            Message::Answer { call, .. } if call == exec => {}
            other => panic!("not {other:?}"),
        }
        client.send(RequestBody::HaveRead {
            stream: follow,
            units: 10,
        });
    }
}

#[tokio::test]
async fn engine_a_run_has_one_engine_and_another_one_is_an_error() {
    let mut run = Run::new();
    let mut first = run.connect();
    let launched = first.launch(vec![lasting("one", &[])]).await;
    launched.expect("it is ready");

    let directory = std::env::temp_dir();
    let link = directory.join(format!("seatrial-test-engine-{}", std::process::id()));
    let address = crate::images::fixture::engine_socket().await;
    std::os::unix::fs::symlink(&address, &link).expect("a link");
    let mut config = Config::of_process(&crate::workspace::of_process()).expect("a configuration");
    config.engine = Some(format!("unix://{}", link.display()));
    let mut second = run.connect_with(config, None);
    let refused = second.launch(vec![lasting("one", &[])]).await;
    std::fs::remove_file(&link).expect("the link");
    let error = refused.expect_err("the run has an engine");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let text = error.to_string();
    assert!(text.contains(&*link.to_string_lossy()), "{text}");
    assert!(text.contains("help: give all test processes"), "{text}");

    let again = first.launch(vec![lasting("another", &[])]).await;
    again.expect("the first is not disturbed");
}
