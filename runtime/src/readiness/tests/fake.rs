//! An engine that answers from a script, and a subject on it: for waits whose only matter is time, which stands still
//! in these tests until nothing else is left to do.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::*;
use crate::engine::{
    Attachment, BuildSpec, Call, ContainerInfo, ContainerSpec, EngineInfo, ExecSpec, ImageInfo,
    NetworkSpec, Output, Parts, ProgressSink, PullSpec, Subnet,
};

/// Answers a command, given what it is and how often commands were run before.
type OnExec = Box<dyn Fn(&[String], u32) -> Call<'static, ExecResult> + Send + Sync>;
/// Answers a request for the output, given how often it was asked for before.
type OnLogs = Box<dyn Fn(u32) -> Parts<Output> + Send + Sync>;
/// Says what the container is doing, given how often that was asked before.
type OnInspect = Box<dyn Fn(u32) -> Result<ContainerInfo, EngineError> + Send + Sync>;
/// Answers a run of a probe or of the user's function, given how often there was one before.
type OnRun<T> = Box<dyn Fn(u32) -> Run<'static, T> + Send + Sync>;

/// A container on an engine that answers as the test says. What the test does not say must not be asked.
pub(super) struct Script {
    pub(super) exec: OnExec,
    pub(super) logs: OnLogs,
    pub(super) inspect: OnInspect,
    pub(super) probe: OnRun<ExecResult>,
    pub(super) hook: OnRun<()>,
}

impl Default for Script {
    /// It runs, and nothing else is known of it.
    fn default() -> Self {
        Self {
            exec: Box::new(|command, _| unanswered(&format!("exec of {command:?}"))),
            logs: Box::new(|_| unanswered("logs")),
            inspect: Box::new(|_| Ok(running(true))),
            probe: Box::new(|_| unanswered("the probe")),
            hook: Box::new(|_| unanswered("the hook")),
        }
    }
}

impl Script {
    /// Waits as [`wait`] does, for a container that does not end.
    pub(super) async fn wait(
        self,
        checks: &[PreparedCheck],
        timing: &PreparedTiming,
    ) -> Result<(), NotReady> {
        self.wait_until(checks, timing, std::future::pending())
            .await
    }

    /// Waits as [`wait`] does, for a container that ends with `exited`.
    pub(super) async fn wait_until(
        self,
        checks: &[PreparedCheck],
        timing: &PreparedTiming,
        exited: impl Future<Output = ()>,
    ) -> Result<(), NotReady> {
        let script = Arc::new(self);
        let engine: Arc<dyn Engine> = Arc::new(FakeEngine {
            info: EngineInfo {
                name: "fake".to_owned(),
                version: "1".to_owned(),
                address: "nowhere".to_owned(),
                os: "linux".to_owned(),
                arch: "amd64".to_owned(),
                published_host: "127.0.0.1".to_owned(),
            },
            script: script.clone(),
            asked: Counts::default(),
        });
        let runner = Runner {
            script,
            asked: Counts::default(),
        };
        let subject = Subject {
            engine: &engine,
            container: ID,
            address: Ipv4Addr::LOCALHOST,
            // No connection is possible: a real one takes real time.
            direct: false,
            published: &[],
            ports: &[],
            health: &[],
            output_before: OutputPosition::default(),
            probes: &runner,
        };
        wait(&subject, checks, timing, exited).await
    }
}

/// The container's id.
const ID: &str = "the-container";

/// How often something was asked for.
#[derive(Debug, Default)]
struct Counts {
    exec: AtomicU32,
    logs: AtomicU32,
    inspect: AtomicU32,
    probe: AtomicU32,
    hook: AtomicU32,
}

fn next(count: &AtomicU32) -> u32 {
    count.fetch_add(1, Ordering::SeqCst)
}

struct Runner {
    script: Arc<Script>,
    asked: Counts,
}

impl ProbeRunner for Runner {
    fn run_probe<'a>(&'a self, _: &'a ImageRef, _: Vec<String>) -> Run<'a, ExecResult> {
        (self.script.probe)(next(&self.asked.probe))
    }

    fn run_hook(&self, binding: usize) -> Run<'_, ()> {
        assert_eq!(binding, BINDING, "the number is the check's");
        (self.script.hook)(next(&self.asked.hook))
    }
}

struct FakeEngine {
    info: EngineInfo,
    script: Arc<Script>,
    asked: Counts,
}

impl fmt::Debug for FakeEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeEngine")
    }
}

/// For a call that a test does not expect.
#[track_caller]
fn unanswered(call: &str) -> ! {
    panic!("the fake engine has no answer to {call}")
}

impl Engine for FakeEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn exec<'a>(&'a self, id: &'a str, exec: &'a ExecSpec) -> Call<'a, ExecResult> {
        assert_eq!(id, ID);
        (self.script.exec)(&exec.command, next(&self.asked.exec))
    }

    fn logs(&self, id: &str, follow: bool, tail: Option<usize>) -> Parts<Output> {
        assert_eq!((id, follow, tail), (ID, true, None));
        (self.script.logs)(next(&self.asked.logs))
    }

    fn inspect<'a>(&'a self, id: &'a str) -> Call<'a, ContainerInfo> {
        assert_eq!(id, ID);
        let info = (self.script.inspect)(next(&self.asked.inspect));
        Box::pin(std::future::ready(info))
    }

    fn image<'a>(&'a self, _: &'a str) -> Call<'a, Option<ImageInfo>> {
        unanswered("image")
    }

    fn pull<'a>(&'a self, _: PullSpec<'a>, _: ProgressSink<'a>) -> Call<'a, ()> {
        unanswered("pull")
    }

    fn build<'a>(&'a self, _: BuildSpec<'a>, _: ProgressSink<'a>) -> Call<'a, ()> {
        unanswered("build")
    }

    fn import<'a>(
        &'a self,
        _: Parts<Vec<u8>>,
        _: &'a str,
        _: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()> {
        unanswered("import")
    }

    fn tag<'a>(&'a self, _: &'a str, _: &'a str) -> Call<'a, ()> {
        unanswered("tag")
    }

    fn create_network<'a>(&'a self, _: &'a NetworkSpec) -> Call<'a, String> {
        unanswered("create_network")
    }

    fn subnets(&self) -> Call<'_, Vec<Subnet>> {
        unanswered("subnets")
    }

    fn remove_network<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("remove_network")
    }

    fn connect<'a>(&'a self, _: &'a str, _: &'a Attachment) -> Call<'a, ()> {
        unanswered("connect")
    }

    fn disconnect<'a>(&'a self, _: &'a str, _: &'a str) -> Call<'a, ()> {
        unanswered("disconnect")
    }

    fn create_volume<'a>(&'a self, _: &'a str, _: &'a BTreeMap<String, String>) -> Call<'a, ()> {
        unanswered("create_volume")
    }

    fn remove_volume<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("remove_volume")
    }

    fn create<'a>(&'a self, _: &'a ContainerSpec) -> Call<'a, String> {
        unanswered("create")
    }

    fn start<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("start")
    }

    fn stop<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("stop")
    }

    fn kill<'a>(&'a self, _: &'a str, _: Option<&'a str>) -> Call<'a, ()> {
        unanswered("kill")
    }

    fn pause<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("pause")
    }

    fn unpause<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("unpause")
    }

    fn remove<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("remove")
    }

    fn wait<'a>(&'a self, _: &'a str) -> Call<'a, i64> {
        unanswered("wait")
    }

    fn upload<'a>(&'a self, _: &'a str, _: &'a str, _: Vec<u8>) -> Call<'a, ()> {
        unanswered("upload")
    }

    fn download<'a>(&'a self, _: &'a str, _: &'a str) -> Call<'a, Vec<u8>> {
        unanswered("download")
    }
}

/// What an engine says of a container that runs, or of one that has ended.
pub(super) fn running(running: bool) -> ContainerInfo {
    ContainerInfo {
        running,
        paused: false,
        exit_code: (!running).then_some(0),
        out_of_memory: false,
        error: String::new(),
        ports: Vec::new(),
    }
}

/// The answer of a command that ends at once.
pub(super) fn exits(code: i64, stderr: &str) -> Call<'static, ExecResult> {
    let result = ExecResult {
        code,
        stdout: Vec::new(),
        stderr: stderr.as_bytes().to_vec(),
    };
    Box::pin(std::future::ready(Ok(result)))
}

/// The answer of a command, a probe or a function that does not end.
pub(super) fn hangs<T: 'static, E: 'static>()
-> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'static>>
where
    Result<T, E>: Send,
{
    Box::pin(std::future::pending())
}

/// An answer of the user's function that comes at once.
pub(super) fn says(outcome: Result<(), &str>) -> Run<'static, ()> {
    Box::pin(std::future::ready(outcome.map_err(str::to_owned)))
}

/// An engine's refusal.
pub(super) fn refusal(kind: EngineErrorKind, attempt: &str, message: &str) -> EngineError {
    EngineError {
        kind,
        attempt: attempt.to_owned(),
        message: message.to_owned(),
    }
}

/// Output in these pieces, and then nothing more, without an end.
pub(super) fn writes(pieces: &[&str]) -> Parts<Output> {
    pieces_of(pieces).chain(stream::pending()).boxed()
}

/// Output in these pieces, and then an end of the stream: with an error, or as after the container's end.
pub(super) fn breaks_off(pieces: &[&str], error: Option<EngineError>) -> Parts<Output> {
    pieces_of(pieces)
        .chain(stream::iter(error.map(Err)))
        .boxed()
}

fn pieces_of(pieces: &[&str]) -> stream::Iter<std::vec::IntoIter<Result<Output, EngineError>>> {
    let pieces: Vec<_> = pieces
        .iter()
        .map(|text| {
            Ok(Output {
                stderr: false,
                bytes: text.as_bytes().to_vec(),
            })
        })
        .collect();
    stream::iter(pieces)
}
