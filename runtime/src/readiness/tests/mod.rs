//! Waits for real containers on the real engine, with servers written in the Perl that every Debian image has.
//!
//! No assertion is about time but for what came first. The modules are named `engine_*` so that a machine without an
//! engine can leave them out.

mod engine_ends;
mod engine_inside;
mod engine_outside;
mod engine_ports;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt as _;
use seatrial_model::ImageRef;

use super::reach::is_direct;
use super::*;
use crate::engine::discovery::{self, EngineChoice};
use crate::engine::{Attachment, ContainerSpec, EngineErrorKind, NetworkSpec, Subnet};
use crate::images::fixture::{self, IMAGE};

/// What every script may use: `listening` opens a port and says when, just before.
const PRELUDE: &str = r#"
    use IO::Socket::INET;
    use Time::HiRes qw(time sleep);
    $| = 1;
    $SIG{CHLD} = "IGNORE";
    sub listening {
        printf "listening at %.6f\n", time;
        IO::Socket::INET->new(LocalPort => shift, Listen => 64, ReuseAddr => 1) or die $!;
    }
"#;

fn perl(script: &str) -> Vec<String> {
    vec![
        "perl".to_owned(),
        "-e".to_owned(),
        format!("{PRELUDE}{script}"),
    ]
}

/// A container on a network of its own, both removed when it is dropped.
struct Fixture {
    id: String,
    address: Ipv4Addr,
    gateway: Ipv4Addr,
    published: Vec<PublishedPort>,
    ports: Vec<u16>,
    /// `None` for the way this machine allows.
    direct: Option<bool>,
    health: Vec<String>,
    output_before: OutputPosition,
    hooks: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
    leavings: Leavings,
}

/// What is removed when a test ends, however it ends. Noted before it is made.
struct Leavings {
    engine: Arc<dyn Engine>,
    name: String,
    probes: AtomicU32,
}

impl Leavings {
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
}

impl Drop for Leavings {
    fn drop(&mut self) {
        let removed = std::thread::scope(|scope| {
            // Here a runtime may be running, which cannot be waited on.
            let remover = scope.spawn(|| runtime().block_on(self.remove()));
            remover.join()
        });
        if !std::thread::panicking() {
            removed
                .expect("the remover ends")
                .expect("what the test made is removed");
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

/// The engine that is asked for, or the first that answers.
async fn engine() -> Arc<dyn Engine> {
    let choice = EngineChoice::from(std::env::var("SEATRIAL_ENGINE").ok());
    discovery::connect(&choice).await.expect("an engine")
}

fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([("dev.seatrial.test".to_owned(), "readiness".to_owned())])
}

impl Fixture {
    /// Starts `command` with these ports published.
    async fn start(command: Vec<String>, ports: &[u16]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        fixture::prepare().await;
        let leavings = Leavings {
            engine: engine().await,
            name: format!("seatrial-readiness-{}-{count}", process::id()),
            probes: AtomicU32::new(0),
        };
        let [a, b, c, _] = create_network(&leavings).await.octets();
        let address = Ipv4Addr::new(a, b, c, 2);
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let spec = ContainerSpec {
            name: leavings.name.clone(),
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
                network: leavings.name.clone(),
                address,
            }),
            ..ContainerSpec::default()
        };
        let id = leavings.engine.create(&spec).await.expect("a container");
        leavings.engine.start(&id).await.expect("a start");
        let info = leavings.engine.inspect(&id).await.expect("its state");
        Self {
            id,
            address,
            gateway: Ipv4Addr::new(a, b, c, 1),
            published: info.ports,
            ports: ports.to_vec(),
            direct: None,
            health: Vec::new(),
            output_before: OutputPosition::default(),
            hooks: Box::new(|| Err("no hook in this test".to_owned())),
            leavings,
        }
    }

    fn engine(&self) -> &Arc<dyn Engine> {
        &self.leavings.engine
    }

    async fn wait(&self, checks: &[PreparedCheck]) -> Result<(), NotReady> {
        self.wait_for(checks, &within(60)).await
    }

    async fn wait_for(
        &self,
        checks: &[PreparedCheck],
        timing: &PreparedTiming,
    ) -> Result<(), NotReady> {
        let exited = async {
            self.engine().wait(&self.id).await.expect("an exit code");
        };
        self.wait_until(checks, timing, exited).await
    }

    async fn wait_until(
        &self,
        checks: &[PreparedCheck],
        timing: &PreparedTiming,
        exited: impl Future<Output = ()> + Send,
    ) -> Result<(), NotReady> {
        let subject = Subject {
            engine: self.engine(),
            container: &self.id,
            address: self.address,
            direct: self.direct.unwrap_or_else(|| is_direct(self.gateway)),
            published: &self.published,
            ports: &self.ports,
            health: &self.health,
            output_before: self.output_before,
            probes: self,
        };
        // The supervisor's tasks move between threads.
        let wait: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(wait(&subject, checks, timing, exited));
        wait.await
    }

    /// What the container has written, up to and with a line that contains `text`.
    async fn log_with(&self, text: &str) -> String {
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

    /// When the service began to listen, in seconds since 1970 by the clock that this process has too.
    async fn listened(&self) -> f64 {
        let log = self.log_with("listening at").await;
        let (_, rest) = log.split_once("listening at ").expect("the line");
        let stamp = rest.lines().next().expect("the stamp");
        stamp.parse().expect("a number")
    }
}

impl ProbeRunner for Fixture {
    fn run_probe<'a>(&'a self, image: &'a ImageRef, command: Vec<String>) -> Run<'a, ExecResult> {
        let number = self.leavings.probes.fetch_add(1, Ordering::SeqCst);
        let [a, b, c, _] = self.address.octets();
        let spec = ContainerSpec {
            name: self.leavings.probe(number),
            image: image.to_string(),
            command: Some(command),
            labels: labels(),
            attachment: Some(Attachment {
                network: self.leavings.name.clone(),
                address: Ipv4Addr::new(a, b, c, u8::try_from(10 + number).expect("few probes")),
            }),
            ..ContainerSpec::default()
        };
        Box::pin(async move {
            let run = async {
                let id = self.engine().create(&spec).await?;
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

    fn run_hook(&self, binding: usize) -> Run<'_, ()> {
        assert_eq!(binding, 7, "the number is the check's");
        Box::pin(async { (self.hooks)() })
    }
}

/// A network of the leavings' name; its address.
async fn create_network(leavings: &Leavings) -> Ipv4Addr {
    let first = process::id().wrapping_mul(37);
    for next in 0..100 {
        let [.., high, low] = first.wrapping_add(next).to_be_bytes();
        let address = Ipv4Addr::new(10, 192 | (high & 0x3f), low, 0);
        let spec = NetworkSpec {
            name: leavings.name.clone(),
            subnet: Subnet {
                address,
                prefix: 24,
            },
            labels: labels(),
        };
        match leavings.engine.create_network(&spec).await {
            Ok(_) => return address,
            Err(error) if error.kind == EngineErrorKind::Conflict => {}
            Err(error) => panic!("no network: {error}"),
        }
    }
    panic!("no free subnet in a hundred");
}

fn within(seconds: u64) -> PreparedTiming {
    PreparedTiming::new(&Timing::default(), Duration::from_secs(seconds))
}

fn tcp(port: u16) -> PreparedCheck {
    PreparedCheck::Tcp { ports: vec![port] }
}

fn http(port: u16) -> PreparedCheck {
    PreparedCheck::Http {
        port,
        path: "/health".to_owned(),
        status: None,
    }
}

fn log(text: &str, times: u32) -> PreparedCheck {
    PreparedCheck::Log {
        text: text.to_owned(),
        times,
    }
}

fn exec(command: &[&str]) -> PreparedCheck {
    PreparedCheck::Exec {
        command: command.iter().map(|&word| word.to_owned()).collect(),
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs_f64()
}

/// The wait's end, which must be this one.
fn ended(outcome: Result<(), NotReady>, reason: NotReadyReason) -> NotReady {
    let error = outcome.expect_err("it must not be ready");
    assert_eq!(error.reason, reason, "{error}");
    error
}
