//! A container on the real engine, running a server written in the Perl that every Debian image has.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use futures_util::StreamExt as _;
use tokio::sync::oneshot;

use super::reach::is_direct;
use super::*;
use crate::engine::discovery::{self, EngineChoice};
use crate::engine::{Attachment, ContainerSpec, ExecSpec, NetworkSpec, Subnet};
use crate::images::fixture;

/// What every script may use: `listening` opens a port and then says so; `gate` returns once the test has opened it.
const PRELUDE: &str = r#"
    use IO::Socket::INET;
    use Time::HiRes qw(sleep);
    $| = 1;
    $SIG{CHLD} = "IGNORE";
    sub listening {
        my $port = shift;
        my $s = IO::Socket::INET->new(LocalPort => $port, Listen => 64, ReuseAddr => 1) or die $!;
        print "listening on $port\n";
        return $s;
    }
    sub appears { my $file = shift; sleep 0.01 until -e $file }
    sub gate { appears("/gate") }
"#;

pub(super) fn perl(script: &str) -> Vec<String> {
    vec![
        "perl".to_owned(),
        "-e".to_owned(),
        format!("{PRELUDE}{script}"),
    ]
}

/// A container on a network of its own, both removed when it is dropped.
pub(super) struct Fixture {
    pub(super) id: String,
    pub(super) address: Ipv4Addr,
    gateway: Ipv4Addr,
    published: Vec<PublishedPort>,
    /// What is declared of it, but for its checks.
    pub(super) plan: ServicePlan,
    /// `None` for the way this machine allows.
    pub(super) direct: Option<bool>,
    pub(super) health: Vec<String>,
    redactor: Redactor,
    pub(super) output_before: OutputPosition,
    cleanup: Cleanup,
}

/// What is removed when a test ends, however it ends. Noted before it is made.
struct Cleanup {
    engine: Engine,
    name: String,
    probes: AtomicU32,
    /// Probes that are being created, each on a thread of its own: the engine may finish a creation that nobody waits
    /// for any more after everything else was removed.
    creations: Mutex<Vec<JoinHandle<()>>>,
}

impl Cleanup {
    async fn remove(&self) -> Result<(), EngineError> {
        for probe in 0..self.probes.load(Ordering::SeqCst) {
            self.engine.remove(&self.probe(probe)).await?;
        }
        self.engine.remove(&self.name).await?;
        self.engine.remove_network(&self.name).await
    }

    fn probe(&self, number: u32) -> String {
        format!("{}-probe-{number}", self.name)
    }

    /// Creates a container though the answer may not be waited for to the end.
    fn create(
        &self,
        spec: ContainerSpec,
    ) -> impl Future<Output = Result<String, EngineError>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let engine = self.engine.clone();
        let creation = std::thread::spawn(move || {
            let created = runtime().block_on(engine.create(&spec));
            // Who asked may have been given up.
            let _ = answer.send(created);
        });
        let mut creations = self
            .creations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        creations.push(creation);
        async move { answered.await.expect("the thread answers") }
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        let creations = std::mem::take(
            self.creations
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner),
        );
        let created: Vec<_> = creations.into_iter().map(JoinHandle::join).collect();
        let removed = std::thread::scope(|scope| {
            // Here a runtime may be running, which cannot be waited on.
            let remover = scope.spawn(|| runtime().block_on(self.remove()));
            remover.join()
        });
        if !std::thread::panicking() {
            removed
                .expect("the remover ends")
                .expect("what the test made is removed");
            for creation in created {
                creation.expect("a creation ends");
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

/// The engine that is asked for, or the first that answers.
async fn engine() -> Engine {
    let choice = EngineChoice::from(std::env::var("SEATRIAL_ENGINE").ok());
    discovery::connect(&choice, std::env::vars().collect())
        .await
        .expect("an engine")
}

fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([("dev.seatrial.test".to_owned(), "readiness".to_owned())])
}

impl Fixture {
    /// Starts `command` with these ports published.
    pub(super) async fn start(command: Vec<String>, ports: &[u16]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        fixture::prepare().await;
        let cleanup = Cleanup {
            engine: engine().await,
            name: format!("seatrial-readiness-{}-{count}", process::id()),
            probes: AtomicU32::new(0),
            creations: Mutex::default(),
        };
        let [a, b, c, _] = create_network(&cleanup).await.octets();
        let address = Ipv4Addr::new(a, b, c, 2);
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let spec = ContainerSpec {
            name: cleanup.name.clone(),
            image: IMAGE.to_owned(),
            command: Some(command),
            labels: labels(),
            ports: ports
                .iter()
                .map(|&container| PublishedPort {
                    container,
                    host_ip: loopback,
                    host: 0,
                })
                .collect(),
            attachment: Some(Attachment {
                network: cleanup.name.clone(),
                address,
            }),
            ..ContainerSpec::default()
        };
        let id = cleanup.engine.create(&spec).await.expect("a container");
        cleanup.engine.start(&id).await.expect("a start");
        let info = cleanup.engine.inspect(&id).await.expect("its state");
        Self {
            id,
            address,
            gateway: Ipv4Addr::new(a, b, c, 1),
            published: info.ports,
            plan: service(ports),
            direct: None,
            health: Vec::new(),
            redactor: Redactor::default(),
            output_before: OutputPosition::default(),
            cleanup,
        }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.cleanup.engine
    }

    /// Whether checks connect to the container's own address.
    pub(super) fn is_direct(&self) -> bool {
        self.direct.unwrap_or_else(|| is_direct(self.gateway))
    }

    pub(super) async fn wait(&self, checks: &[CheckKind]) -> Result<(), NotReady> {
        self.wait_for(checks, &within(300)).await
    }

    pub(super) async fn wait_for(
        &self,
        checks: &[CheckKind],
        timing: &PreparedTiming,
    ) -> Result<(), NotReady> {
        let exited = async {
            self.engine().wait(&self.id).await.expect("an exit code");
        };
        self.wait_until(checks, timing, exited).await
    }

    pub(super) async fn wait_until(
        &self,
        checks: &[CheckKind],
        timing: &PreparedTiming,
        exited: impl Future<Output = ()> + Send,
    ) -> Result<(), NotReady> {
        let subject = self.subject();
        // The supervisor's tasks move between threads.
        let wait: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(wait(&subject, self.checks(checks), timing, exited));
        wait.await
    }

    /// Waits as for a service that was ready before, with no second attempt at a check that fails.
    pub(super) async fn wait_again(&self, checks: &[CheckKind]) -> Result<(), NotReady> {
        let timing = PreparedTiming {
            failures: Some(1),
            ..within(300)
        };
        let exited = std::future::pending();
        wait_again(&self.subject(), self.checks(checks), &timing, exited).await
    }

    /// What is checked where this is declared.
    pub(super) fn checks(&self, declared: &[CheckKind]) -> Vec<Check> {
        checks_of(self.plan.clone(), declared, &self.health)
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            engine: self.engine(),
            container: &self.id,
            address: self.address,
            direct: self.is_direct(),
            published: &self.published,
            output_before: self.output_before,
            probes: self,
            redactor: &self.redactor,
        }
    }

    /// Where a port is published.
    pub(super) fn published(&self, port: u16) -> std::net::SocketAddr {
        let mut published = self.published.iter();
        let published = published.find(|it| it.container == port);
        let published = published.expect("it is published");
        (published.host_ip, published.host).into()
    }

    /// What the container has written, up to and with a line that contains `text`.
    pub(super) async fn log_with(&self, text: &str) -> String {
        let mut output = self.engine().logs(&self.id, true, None);
        let mut log = String::new();
        while let Some(piece) = output.next().await {
            log += &String::from_utf8_lossy(&piece.expect("its output").bytes);
            if log
                .rsplit_once('\n')
                .is_some_and(|(lines, _)| lines.contains(text))
            {
                return log;
            }
        }
        panic!("the log has ended without `{text}`:\n{log}");
    }

    /// Returns once the service listens on `port`.
    pub(super) async fn listens(&self, port: u16) {
        self.log_with(&format!("listening on {port}")).await;
    }

    /// Lets the service go on behind its gate.
    pub(super) async fn open_gate(&self) {
        let exec = ExecSpec {
            command: vec!["touch".to_owned(), "/gate".to_owned()],
            ..ExecSpec::default()
        };
        let touched = self.engine().exec(&self.id, &exec).await;
        assert_eq!(touched.expect("the container runs").code, 0);
    }

    /// Waits with no second attempt at any check.
    pub(super) async fn attempt_once(&self, checks: &[CheckKind]) -> Result<(), NotReady> {
        let timing = PreparedTiming {
            interval: Some(Duration::from_secs(600)),
            ..within(300)
        };
        self.wait_for(checks, &timing).await
    }

    /// What the check says that failed first: how a test knows that one does not hold, without a time-out.
    pub(super) async fn first_failure(&self, checks: &[CheckKind]) -> NotReady {
        let timing = PreparedTiming {
            failures: Some(1),
            ..within(300)
        };
        let mut outcome = self.wait_for(checks, &timing).await;
        if !self.is_direct() {
            // An engine's proxy that has not closed a connection within a quarter of a second is taken for the service,
            // and on a loaded machine it may be that late; but not every time.
            for _ in 1..50 {
                if outcome.is_err() {
                    break;
                }
                outcome = self.wait_for(checks, &timing).await;
            }
        }
        ended(outcome, NotReadyReason::FailedTooOften)
    }

    /// The check fails while the gate is closed, and holds after it was opened under a wait.
    pub(super) async fn ready_behind_the_gate(&self, check: CheckKind) {
        let checks = [check];
        self.first_failure(&checks).await;
        let (ready, ()) = tokio::join!(self.wait(&checks), self.open_gate());
        ready.expect("ready behind the gate");
    }
}

impl ProbeRunner for Fixture {
    fn watched(&self, _: Box<dyn Fn() -> Vec<String> + Send>) {}

    fn run_probe<'a>(&'a self, image: &'a ImageRef, command: Vec<String>) -> Run<'a, ExecResult> {
        let number = self.cleanup.probes.fetch_add(1, Ordering::SeqCst);
        let spec = ContainerSpec {
            name: self.cleanup.probe(number),
            image: image.to_string(),
            command: Some(command),
            labels: labels(),
            joins: Some(self.id.clone()),
            ..ContainerSpec::default()
        };
        let creation = self.cleanup.create(spec);
        Box::pin(async move {
            let run = async {
                let id = creation.await?;
                self.engine().start(&id).await?;
                let code = self.engine().wait(&id).await?;
                let mut result = ExecResult {
                    code,
                    ..ExecResult::default()
                };
                let mut output = self.engine().logs(&id, false, None);
                while let Some(piece) = output.next().await {
                    result.stdout.extend(piece?.bytes);
                }
                Ok(result)
            };
            run.await.map_err(|error: EngineError| error.to_string())
        })
    }

    fn run_hook(&self, _: usize) -> Run<'_, (), HookFailure> {
        unreachable!("a function of the user's needs no engine: see the tests with a fake one")
    }
}

/// A network of the fixture's name; its address.
async fn create_network(cleanup: &Cleanup) -> Ipv4Addr {
    let first = process::id().wrapping_mul(37);
    for next in 0..100 {
        let [.., high, low] = first.wrapping_add(next).to_be_bytes();
        let address = Ipv4Addr::new(10, 192 | (high & 0x3f), low, 0);
        let spec = NetworkSpec {
            name: cleanup.name.clone(),
            subnet: Subnet {
                address,
                prefix: 24,
            },
            labels: labels(),
        };
        match cleanup.engine.create_network(&spec).await {
            Ok(_) => return address,
            Err(error) if error.kind == EngineErrorKind::Conflict => {}
            Err(error) => panic!("no network: {error}"),
        }
    }
    panic!("no free subnet in a hundred");
}
