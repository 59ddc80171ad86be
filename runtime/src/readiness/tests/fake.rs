//! An engine with scripted answers and a subject on it, for waits whose only matter is time. The clock is paused.

use futures_util::StreamExt as _;
use futures_util::stream;

use super::*;
use crate::engine::fake::{Answers, Call, answer, unanswered};
use crate::engine::{ContainerInfo, ExecSpec, Output, Parts};

/// Answers a command, with the number of commands before it.
type OnExec = Box<dyn Fn(&[String], u32) -> Call<'static, ExecResult> + Send + Sync>;
/// Answers a request for the output, with the number of requests before it.
type OnLogs = Box<dyn Fn(u32) -> Parts<Output> + Send + Sync>;
/// The state of the container, with the number of questions before it.
type OnInspect = Box<dyn Fn(u32) -> Result<ContainerInfo, EngineError> + Send + Sync>;
/// Answers a run of a probe or of the user's function, with the number of runs before it.
type OnRun<T, E = String> = Box<dyn Fn(u32) -> Run<'static, T, E> + Send + Sync>;

/// A container on an engine with the answers of a test. A request without an answer panics.
pub(super) struct Script {
    pub(super) exec: OnExec,
    pub(super) logs: OnLogs,
    pub(super) inspect: OnInspect,
    pub(super) probe: OnRun<ExecResult>,
    pub(super) hook: OnRun<(), HookFailure>,
    pub(super) redactor: Redactor,
    /// Whether this machine's own ports are the container's. Connections take real time, so the clock must not be paused.
    pub(super) direct: bool,
}

impl Default for Script {
    /// The container runs, and all other requests panic.
    fn default() -> Self {
        Self {
            exec: Box::new(|command, _| unanswered(&format!("exec of {command:?}"))),
            logs: Box::new(|_| unanswered("logs")),
            inspect: Box::new(|_| Ok(running(true))),
            probe: Box::new(|_| unanswered("the probe")),
            hook: Box::new(|_| unanswered("the hook")),
            redactor: Redactor::default(),
            direct: false,
        }
    }
}

impl Script {
    /// As [`wait`], for a container that does not end.
    pub(super) async fn wait(
        self,
        checks: &[CheckKind],
        timing: &PreparedTiming,
    ) -> Result<(), NotReady> {
        self.wait_until(checks, timing, std::future::pending())
            .await
    }

    /// As [`wait`], for a container that ends with `exited`.
    pub(super) async fn wait_until(
        self,
        checks: &[CheckKind],
        timing: &PreparedTiming,
        exited: impl Future<Output = ()>,
    ) -> Result<(), NotReady> {
        let script = Arc::new(self);
        let engine = Engine::fake(Answering {
            script: script.clone(),
            asked: Counts::default(),
        });
        let redactor = script.redactor.clone();
        let runner = Runner {
            script: script.clone(),
            asked: Counts::default(),
        };
        let subject = Subject {
            engine: &engine,
            container: ID,
            address: Ipv4Addr::LOCALHOST,
            direct: script.direct,
            published: &[],
            output_before: OutputPosition::default(),
            probes: &runner,
            redactor: &redactor,
        };
        let checks = checks_of(service(&[]), checks, &[]);
        wait(&subject, checks, timing, exited).await
    }
}

/// The container's id.
const ID: &str = "the-container";

/// The number of requests of each kind.
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
    fn watched(&self, _: Box<dyn Fn() -> Vec<String> + Send>) {}

    fn run_probe<'a>(&'a self, _: &'a ImageRef, _: Vec<String>) -> Run<'a, ExecResult> {
        (self.script.probe)(next(&self.asked.probe))
    }

    fn run_hook(&self, binding: usize) -> Run<'_, (), HookFailure> {
        assert_eq!(binding, BINDING, "the number is the check's");
        (self.script.hook)(next(&self.asked.hook))
    }
}

/// The script as an engine.
struct Answering {
    script: Arc<Script>,
    asked: Counts,
}

impl Answers for Answering {
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
        answer((self.script.inspect)(next(&self.asked.inspect)))
    }
}

/// An engine's answer for a running or an ended container.
pub(super) fn running(running: bool) -> ContainerInfo {
    ContainerInfo {
        running,
        exit_code: (!running).then_some(0),
        ..ContainerInfo::default()
    }
}

/// The answer of a command that ends at once.
pub(super) fn exits(code: i64, stderr: &str) -> Call<'static, ExecResult> {
    let result = ExecResult {
        code,
        stdout: Vec::new(),
        stderr: stderr.as_bytes().to_vec(),
        ..ExecResult::default()
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
pub(super) fn says(outcome: Result<(), &str>) -> Run<'static, (), HookFailure> {
    let outcome = outcome.map_err(|text| HookFailure::Failed(text.to_owned()));
    Box::pin(std::future::ready(outcome))
}

/// An engine's refusal.
pub(super) fn refusal(kind: EngineErrorKind, attempt: &str, message: &str) -> EngineError {
    EngineError {
        kind,
        attempt: attempt.to_owned(),
        message: message.to_owned(),
    }
}

/// Output in these pieces. The stream stays open.
pub(super) fn writes(pieces: &[&str]) -> Parts<Output> {
    pieces_of(pieces).chain(stream::pending()).boxed()
}

/// Output in these pieces. The stream then ends, with an error or as after the container's end.
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
