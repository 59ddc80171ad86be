//! The supervisor driven by messages, on a real engine.

mod clients;
mod copies;
mod events;
mod kept;
mod setup;
mod soak;
mod spares;
mod stops;

use std::collections::BTreeMap;
use std::path::PathBuf;

use seatrial_model::{
    Check, CheckKind, EnvVar, Mount, MountMode, Origin, Plan, Port, Scope, ServicePlan, Template,
};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::protocol::{
    Action, Caller, ExecCall, ExecOutput, Launch, Message, Reply, Request, RequestBody, ServiceInfo,
};
use crate::settings::Settings;
use crate::{Error, ErrorKind};
use events::{Events, GATE, open_gates, until_held};

/// A command without an input and without options.
fn exec_call(command: Vec<String>) -> Action {
    Action::Exec(ExecCall {
        command,
        ..ExecCall::default()
    })
}

/// A supervisor in this process, and its only client.
struct Run {
    /// `None` once the run is over.
    requests: Option<mpsc::UnboundedSender<Request>>,
    messages: mpsc::UnboundedReceiver<Message>,
    next: u64,
    events: PathBuf,
    serving: Option<std::thread::JoinHandle<()>>,
}

/// Nothing is left, also after a failed test.
impl Drop for Run {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(serving) = self.serving.take() {
            serving.join().expect("the supervisor ends by itself");
        }
        let _ = std::fs::remove_file(&self.events);
    }
}

impl Run {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir();
        let events = directory.join(format!("seatrial-test-{name}-{}.jsonl", std::process::id()));
        let workspace = crate::workspace::of_process();
        let mut config = Config::of_process(&workspace).expect("the workspace's configuration");
        config.events = Some(events.clone());
        let (requests, from_client) = mpsc::unbounded_channel();
        let (to_client, messages) = mpsc::unbounded_channel();
        // On a thread of its own, as it must go on when the test's runtime ends.
        let serving = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let settings = Ok(Settings::new(config));
            runtime.block_on(super::run(settings, from_client, to_client));
        });
        Self {
            requests: Some(requests),
            messages,
            next: 0,
            events,
            serving: Some(serving),
        }
    }

    fn send(&mut self, body: RequestBody) -> u64 {
        self.next += 1;
        let requests = self.requests.as_ref().expect("the run goes on");
        requests
            .send(Request {
                call: self.next,
                body,
            })
            .expect("the supervisor listens");
        self.next
    }

    async fn answer(&mut self, wanted: u64) -> Result<Reply, Error> {
        loop {
            match self.messages.recv().await.expect("an answer") {
                Message::Answer { call, outcome } if call == wanted => return outcome,
                Message::Hook { .. } => panic!("no hook was declared"),
                _ => {}
            }
        }
    }

    async fn launch(
        &mut self,
        lease: u64,
        services: Vec<ServicePlan>,
    ) -> Result<Vec<ServiceInfo>, Error> {
        let launch = Box::new(launch(services));
        let call = self.send(RequestBody::Launch {
            lease,
            launch,
            within: None,
        });
        match self.answer(call).await? {
            Reply::Launched(services) => Ok(services),
            other => panic!("not {other:?}"),
        }
    }

    async fn act(&mut self, service: &ServiceInfo, action: Action) -> Result<Reply, Error> {
        let call = self.send(RequestBody::Act {
            instance: service.instance,
            action,
            caller: Caller::Handle,
        });
        self.answer(call).await
    }

    async fn exec(&mut self, service: &ServiceInfo, script: &str) -> ExecOutput {
        let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        match self.act(service, exec_call(command)).await {
            Ok(Reply::Exec(output)) => output,
            other => panic!("not {other:?}"),
        }
    }

    /// Launches services of which `held` wait for a [`GATE`]. Makes the gates when all of `expected` has happened.
    async fn launch_held(
        &mut self,
        services: Vec<ServicePlan>,
        held: &[&str],
        expected: &[(&str, &str)],
    ) -> Result<Vec<ServiceInfo>, Error> {
        let events = self.events.clone();
        let mut launched = std::pin::pin!(self.launch(1, services));
        let so_far = tokio::select! {
            launched = &mut launched => panic!("it is not held: {launched:?}"),
            so_far = until_held(&events, held, expected) => so_far,
        };
        // The launch may be over before the engine reports the last gate.
        let (launched, ()) = tokio::join!(launched, open_gates(&so_far, held));
        launched
    }

    /// Ends the run and returns its events.
    async fn close(mut self) -> Events {
        let call = self.send(RequestBody::Close);
        assert_eq!(self.answer(call).await, Ok(Reply::Done));
        Events::so_far(&self.events)
    }
}

fn launch(services: Vec<ServicePlan>) -> Launch {
    Launch {
        identity: "tests::Composition".to_owned(),
        plan: Plan {
            name: "Composition".to_owned(),
            services,
        },
        test: Some("a test".to_owned()),
        package_dir: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        workspace: crate::workspace::of_process(),
        binaries: Vec::new(),
        files: Vec::new(),
        user: crate::workspace::user(),
        kept: BTreeMap::new(),
    }
}

const IMAGE: &str = "debian:bookworm-slim";

/// A service that runs a shell script.
fn script(field: &str, script: &str, needs: &[usize]) -> ServicePlan {
    let mut service = ServicePlan::new(field, Origin::Image(IMAGE.parse().expect("an image")));
    let command = ["/bin/sh", "-c", script].map(Template::literal).to_vec();
    service.entrypoint = Some(command);
    service.needs = needs.to_vec();
    service
}

/// A service that writes a line when it is ready, and stays.
fn lasting(field: &str, needs: &[usize]) -> ServicePlan {
    let mut service = script(field, "echo up; exec sleep infinity", needs);
    service.ready = vec![log("up")];
    service
}

/// A service that writes a line when its [`GATE`] exists, and stays.
fn held(field: &str, needs: &[usize]) -> ServicePlan {
    let wait = format!("until test -e {GATE}; do sleep 0.02; done; echo up; exec sleep infinity");
    let mut service = script(field, &wait, needs);
    service.ready = vec![log("up")];
    service
}

fn log(text: &str) -> Check {
    Check {
        kind: CheckKind::Log {
            text: text.to_owned(),
            times: 1,
        },
    }
}

/// A TCP server that echoes what it receives.
fn echo(field: &str, port: u16) -> ServicePlan {
    let server = format!(
        "exec perl -MIO::Socket::INET -e '$|=1; $s=IO::Socket::INET->new(Listen=>5,LocalPort=>{port},ReuseAddr=>1) or die; \
         while($c=$s->accept){{while(<$c>){{print $c $_}}}}'"
    );
    let mut service = script(field, &server, &[]);
    service.ports = vec![Port {
        name: None,
        number: port,
    }];
    service
}

#[tokio::test]
async fn engine_a_diamond_starts_along_its_edges() {
    let mut run = Run::new("diamond");
    let services = vec![
        lasting("a", &[]),
        held("b", &[0]),
        held("c", &[0]),
        lasting("d", &[1, 2]),
    ];
    // Both services in the middle are under way before one is ready, and the last is created before the services that
    // it needs are ready.
    let expected = [("d", "created")];
    let launched = run.launch_held(services, &["b", "c"], &expected).await;
    let events = run.close().await;
    launched.expect("all are ready");
    for middle in ["b", "c"] {
        assert!(
            events.at(middle, "starting") > events.at("a", "ready"),
            "{events:#?}"
        );
        assert!(
            events.at("d", "starting") > events.at(middle, "ready"),
            "{events:#?}"
        );
    }
}

#[tokio::test]
async fn engine_a_chain_of_five_starts_in_order() {
    let mut run = Run::new("chain");
    let names = ["a", "b", "c", "d", "e"];
    let services = (0..5).map(|index| {
        lasting(
            names[index],
            &(index.saturating_sub(1)..index).collect::<Vec<_>>(),
        )
    });
    let launched = run.launch(1, services.collect()).await;
    let events = run.close().await;
    launched.expect("all are ready");
    for pair in names.windows(2) {
        assert!(
            events.at(pair[1], "starting") > events.at(pair[0], "ready"),
            "{events:#?}"
        );
    }
}

#[tokio::test]
async fn engine_twenty_services_without_edges_start_at_once() {
    let mut run = Run::new("twenty");
    let mut services = vec![held("first", &[])];
    services.extend((0..18).map(|number| lasting(&format!("s{number}"), &[])));
    services.push(held("last", &[]));
    // Neither becomes ready before both have been started.
    let launched = run.launch_held(services, &["first", "last"], &[]).await;
    run.close().await;
    assert_eq!(launched.expect("all are ready").len(), 20);
}

#[tokio::test]
async fn engine_a_launch_that_fails_half_way_leaves_nothing_and_names_the_cause_once() {
    let mut run = Run::new("half-way");
    let mut third = script("third", "echo cannot open the book; exit 3", &[1]);
    third.ready = vec![log("never")];
    let services = vec![
        lasting("first", &[]),
        lasting("second", &[0]),
        third,
        lasting("fourth", &[2]),
        lasting("fifth", &[3, 0]),
    ];
    let error = run
        .launch(1, services)
        .await
        .expect_err("the third cannot start");
    let events = run.close().await;
    assert_eq!(error.kind(), ErrorKind::Exited);
    assert_eq!(error.service(), Some("third"));
    assert_eq!(error.log_lines(), ["cannot open the book"]);
    let text = error.to_string();
    assert_eq!(text.matches("third").count(), 1, "{text}");
    assert!(text.contains("exited with code 3"), "{text}");
    assert!(
        text.contains("not started because of it: `fourth`, `fifth`"),
        "{text}"
    );
    assert_eq!(events.find("fourth", "starting"), None, "{events:#?}");
}

#[tokio::test]
async fn engine_services_are_wired_by_name_and_stay_where_they_are_when_restarted() {
    let mut run = Run::new("wired");
    let mut client = lasting("client", &[0]);
    client.env = vec![EnvVar {
        name: "SERVER".to_owned(),
        value: Template::literal("server"),
    }];
    let launched = run
        .launch(1, vec![echo("server", 7), client, lasting("stranger", &[])])
        .await;
    let services = launched.expect("all are ready");
    let [server, client, stranger] = &services[..] else {
        panic!("{services:?}")
    };
    let speak = "exec 3<>/dev/tcp/server/7; echo hello >&3; head -n 1 <&3";
    let speak = format!("bash -c '{speak}'");
    assert_eq!(run.exec(client, &speak).await.stdout, "hello\n");
    assert_eq!(
        run.exec(stranger, "getent hosts server").await.code,
        2,
        "it was not declared"
    );

    run.act(server, Action::Restart).await.expect("it restarts");
    assert_eq!(run.exec(client, &speak).await.stdout, "hello\n");
    let port = server.port_at_host(server.ports[0].number);
    std::net::TcpStream::connect((&*server.host, port)).expect("it listens where it did");

    run.act(server, Action::Disconnect)
        .await
        .expect("it is cut off");
    assert_ne!(
        run.exec(client, &format!("timeout 2 {speak}")).await.code,
        0
    );
    run.act(server, Action::Reconnect)
        .await
        .expect("it is back");
    run.act(server, Action::WaitReady)
        .await
        .expect("it is ready");
    assert_eq!(run.exec(client, &speak).await.stdout, "hello\n");
    run.close().await;
}

#[tokio::test]
async fn engine_a_binary_scoped_service_is_shared_and_a_failed_one_is_not_tried_again() {
    let mut run = Run::new("shared");
    let shared = || {
        let mut service = lasting("shared", &[]);
        service.scope = Scope::Binary;
        vec![service, lasting("own", &[0])]
    };
    let first = run.launch(1, shared()).await.expect("ready");
    let second = run.launch(2, shared()).await.expect("ready");
    assert_eq!(first[0].container, second[0].container);
    assert_ne!(first[1].container, second[1].container);
    assert!(second[0].times.shared);

    run.act(&first[0], Action::Kill { signal: None })
        .await
        .expect("killed");
    let error = run.launch(3, shared()).await.expect_err("it is dead");
    assert_eq!(error.service(), Some("shared"), "{error}");
    assert!(error.to_string().contains("code 137"), "{error}");
    run.close().await;
}

#[tokio::test]
async fn engine_a_released_lease_takes_its_services_down_while_the_run_goes_on() {
    let mut run = Run::new("released");
    let services = run
        .launch(1, vec![lasting("one", &[])])
        .await
        .expect("ready");
    let call = run.send(RequestBody::Release { lease: 1 });
    run.answer(call).await.expect("released");
    let error = run
        .act(&services[0], Action::WaitReady)
        .await
        .expect_err("it is gone");
    assert!(error.to_string().contains("gone"), "{error}");
    run.close().await;
}

#[tokio::test]
async fn engine_a_service_on_another_port_is_reported_with_its_ports() {
    let mut run = Run::new("another-port");
    let mut service = echo("server", 7);
    service.ports[0].number = 8;
    // The check fails on the declared port, but not before the service listens on the other one.
    let finds = "until (exec 3<>/dev/tcp/127.0.0.1/7) 2>/dev/null; do sleep 0.02; done; \
                 exec 3<>/dev/tcp/127.0.0.1/8";
    let command = ["bash", "-c", finds].map(Template::literal).to_vec();
    service.ready = vec![
        Check {
            kind: CheckKind::Exec { command },
        },
        // This replaces the default check, which would fail at once.
        Check {
            kind: CheckKind::Tcp { ports: Vec::new() },
        },
    ];
    service.timing.failures = Some(1);
    let error = run
        .launch(1, vec![service])
        .await
        .expect_err("it is not ready");
    assert_eq!(error.kind(), ErrorKind::NotReady);
    let text = error.to_string();
    assert!(text.contains("Connection refused"), "{text}");
    assert!(
        text.contains("the processes in its container listen on 7"),
        "{text}"
    );
    assert!(text.contains("help: declare the port"), "{text}");
    assert!(text.contains("such as `port = 7`"), "{text}");
    run.close().await;
}

#[tokio::test]
async fn engine_a_service_that_uses_too_much_memory_is_reported_with_its_limit() {
    let mut run = Run::new("memory");
    let mut hungry = script(
        "hungry",
        "exec bash -c 'x=x; while :; do x=$x$x; done'",
        &[],
    );
    hungry.ready = vec![log("never")];
    hungry.memory = Some(32 << 20);
    let error = run.launch(1, vec![hungry]).await.expect_err("it is killed");
    assert_eq!(error.kind(), ErrorKind::Exited);
    let text = error.to_string();
    assert!(text.contains("memory") && text.contains("32 MiB"), "{text}");
    assert!(text.contains("help: raise `memory"), "{text}");
    run.close().await;
}

#[tokio::test]
async fn engine_a_missing_mount_path_is_reported() {
    let mut run = Run::new("mount");
    let mut service = lasting("store", &[]);
    service.mounts.push(Mount {
        from: "no/such/directory".to_owned(),
        at: "/data".to_owned(),
        mode: MountMode::Ro,
    });
    let error = run.launch(1, vec![service]).await.expect_err("it is gone");
    assert_eq!(error.kind(), ErrorKind::Files);
    assert_eq!(error.service(), Some("store"));
    let text = error.to_string();
    assert!(
        text.contains("the mount path `no/such/directory` is not at `/"),
        "{text}"
    );
    run.close().await;
}

#[tokio::test]
async fn engine_the_end_is_answered_once_nothing_is_left() {
    let mut run = Run::new("closes");
    run.launch(1, vec![lasting("a", &[])]).await.expect("ready");
    // Perhaps before the first is served.
    let calls = [(); 3].map(|()| run.send(RequestBody::Close));
    for call in calls {
        assert_eq!(run.answer(call).await, Ok(Reply::Done));
    }
}

#[tokio::test]
async fn engine_an_image_without_a_command_needs_one() {
    let mut run = Run::new("command");
    // The image that is made here has no command; a registry's has one, which ends at once.
    let mut db = lasting("db", &[]);
    db.entrypoint = None;
    let error = run.launch(1, vec![db]).await.expect_err("nothing to run");
    run.close().await;
    let text = error.to_string();
    assert!(text.contains("write `command = \"..\"`"), "{text}");
}
