//! Waiting for a container to be ready.
//!
//! Owns the checks and the timing of their attempts. It starts nothing and removes nothing: a probe container and the
//! user's function are run by whoever waits, through [`ProbeRunner`]. Nothing here prints. What a check quotes from
//! outside or from a declaration passes the redactor before it goes into a sentence.
//!
//! What can be followed (the log, the container's end) is followed; the rest is attempted at once, then at a pace that
//! begins fast. A single attempt is bounded where it could hang on a connection, so that it does not use up the
//! time of the whole wait.

mod exec;
mod http;
mod log;
mod pace;
mod probe;
mod protocol;
pub(crate) mod reach;
pub(crate) mod sockets;
mod tcp;
#[cfg(test)]
mod tests;
mod watch;

use std::fmt;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use seatrial_model::secret::Redactor;
use seatrial_model::{CheckKind, ImageRef, Protocol, ServicePlan, Template, Timing};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};

use crate::engine::{Engine, EngineError, ExecResult, PublishedPort};
use crate::protocol::HookFailure;
use crate::visible::quoted;
pub(crate) use exec::shown;
#[cfg(any(test, fuzzing))]
pub(crate) use log::fuzzing;
use pace::{Pace, Streaks};
use protocol::Login;
#[cfg(any(test, fuzzing))]
pub(crate) use protocol::fuzzing::conversations;
use watch::Watch;

/// How long a process must run to count as running. One that cannot do its work ends within some milliseconds, and the
/// engine tells of that some milliseconds later.
const RUNS_FOR: Duration = Duration::from_millis(200);

/// The container that is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) engine: &'a Arc<dyn Engine>,
    /// Its id.
    pub(crate) container: &'a str,
    /// On its network.
    pub(crate) address: Ipv4Addr,
    /// Whether `address` is reachable from this process: [`reach::is_direct`] of the network's gateway.
    pub(crate) direct: bool,
    pub(crate) published: &'a [PublishedPort],
    /// Its declared ports, for the default check.
    pub(crate) ports: &'a [u16],
    /// The image's `HEALTHCHECK` command as [`ImageInfo`](crate::engine::ImageInfo) has it.
    pub(crate) health: &'a [String],
    /// What it had written before it was started this time; the beginning for its first start.
    pub(crate) output_before: OutputPosition,
    pub(crate) probes: &'a dyn ProbeRunner,
    /// Hides the secrets in what its checks quote.
    pub(crate) redactor: &'a Redactor,
    /// Whether all its checks have held before.
    pub(crate) was_ready: bool,
}

impl Subject<'_> {
    /// What goes into a sentence of ours, without secrets.
    fn quoted(&self, text: &str) -> String {
        quoted(self.redactor, text)
    }

    /// As [`quoted`](Self::quoted).
    fn engine_said(&self, error: &EngineError) -> String {
        error.redacted(self.redactor).to_string()
    }
}

/// The future of a probe; its error has no secret.
pub(crate) type Run<'a, T, E = String> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Runs what a check needs beyond the container itself. A run that is dropped has been given up.
pub(crate) trait ProbeRunner: Send + Sync {
    /// Runs `command` in a new container of `image` on the subject's network to its end. The implementor guards and
    /// removes the container.
    fn run_probe<'a>(&'a self, image: &'a ImageRef, command: Vec<String>) -> Run<'a, ExecResult>;

    /// Runs the user's async function number `binding`.
    fn run_hook(&self, binding: usize) -> Run<'_, (), HookFailure>;

    /// Told how to ask, during a wait, which checks are unmet and what they last saw.
    fn watched(&self, _report: Box<dyn Fn() -> Vec<String> + Send>) {}
}

/// A check whose placeholders have their values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PreparedCheck {
    /// As [`CheckKind::Tcp`].
    Tcp { ports: Vec<u16> },
    /// As [`CheckKind::Log`].
    Log { text: String, times: u32 },
    /// As [`CheckKind::Http`].
    Http {
        port: u16,
        path: String,
        status: Option<u16>,
    },
    /// As [`CheckKind::Protocol`].
    Protocol {
        protocol: Protocol,
        port: u16,
        login: Login,
    },
    /// As [`CheckKind::Exec`].
    Exec { command: Vec<String> },
    /// As [`CheckKind::Healthcheck`].
    Healthcheck,
    /// As [`CheckKind::Running`].
    Running,
    /// As [`CheckKind::Probe`].
    Probe {
        image: ImageRef,
        command: Vec<String>,
    },
    /// As [`CheckKind::Hook`].
    Hook { binding: usize, name: String },
}

impl PreparedCheck {
    /// Gives the placeholders of a service's declared check their values.
    pub(crate) fn new(
        kind: &CheckKind,
        service: &ServicePlan,
        render: impl FnMut(&Template) -> String,
    ) -> Self {
        match kind {
            CheckKind::Tcp { ports } => Self::Tcp {
                ports: ports.clone(),
            },
            CheckKind::Log { text, times } => Self::Log {
                text: text.clone(),
                times: *times,
            },
            CheckKind::Http { port, path, status } => Self::Http {
                port: *port,
                path: path.clone(),
                status: *status,
            },
            CheckKind::Protocol { protocol, port } => Self::Protocol {
                protocol: *protocol,
                port: *port,
                login: Login::of(*protocol, service, render),
            },
            CheckKind::Exec { command } => Self::Exec {
                command: command.iter().map(render).collect(),
            },
            CheckKind::Healthcheck => Self::Healthcheck,
            CheckKind::Running => Self::Running,
            CheckKind::Probe { image, command } => Self::Probe {
                image: image.reference().clone(),
                command: command.iter().map(render).collect(),
            },
            CheckKind::Hook { binding, name } => Self::Hook {
                binding: *binding,
                name: name.clone(),
            },
        }
    }
}

/// How checks are repeated, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PreparedTiming {
    /// From the beginning of the wait, `delay` included.
    pub(crate) timeout: Duration,
    pub(crate) interval: Option<Duration>,
    pub(crate) delay: Duration,
    pub(crate) successes: u32,
    /// Without an interval, failures less than a second apart count as one.
    pub(crate) failures: Option<u32>,
}

impl PreparedTiming {
    /// Fills in the configured time-out where the declaration has none.
    pub(crate) fn new(timing: &Timing, timeout: Duration) -> Self {
        Self {
            timeout: timing.timeout.unwrap_or(timeout),
            interval: timing.interval,
            delay: timing.delay,
            successes: timing.successes,
            failures: timing.failures,
        }
    }
}

/// How much a container has written, in bytes. An engine keeps a container's output over its restarts: a log check after
/// one must not find what was written before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutputPosition {
    pub(crate) stdout: u64,
    pub(crate) stderr: u64,
}

impl OutputPosition {
    /// How much the container has written so far. To be asked while it does not run.
    ///
    /// # Errors
    ///
    /// When the engine cannot deliver the output.
    pub(crate) async fn now(engine: &dyn Engine, container: &str) -> Result<Self, EngineError> {
        let mut position = Self::default();
        let mut output = engine.logs(container, false, None);
        while let Some(piece) = output.next().await {
            let piece = piece?;
            match piece.stderr {
                true => position.stderr += piece.bytes.len() as u64,
                false => position.stdout += piece.bytes.len() as u64,
            }
        }
        Ok(position)
    }
}

/// Why a container is not ready. What it says has no secret, and lines of any length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotReady {
    pub(crate) reason: NotReadyReason,
    /// Each unmet check and what it last saw, in words; where one of them decided just that.
    pub(crate) waiting_for: Vec<String>,
    /// The ports among them to which connections were refused.
    pub(crate) unserved: Vec<u16>,
    pub(crate) after: Duration,
    /// How often the check that was attempted most was.
    pub(crate) attempts: u32,
}

/// What ended the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NotReadyReason {
    /// The container ended.
    Exited,
    /// The time is up.
    TimedOut,
    /// A check failed more often in a row than its declaration allows.
    FailedTooOften,
    /// A check cannot ever hold.
    Impossible,
    /// The user's function panicked.
    Panicked,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = Duration::from_millis(self.after.as_millis() as u64);
        match self.reason {
            NotReadyReason::Exited => write!(f, "it exited after {after:?}, before it was ready")?,
            NotReadyReason::TimedOut => write!(f, "it was not ready within {after:?}")?,
            NotReadyReason::FailedTooOften => {
                write!(f, "a check failed too often within {after:?}")?;
            }
            NotReadyReason::Impossible => f.write_str("it cannot be known to be ready")?,
            NotReadyReason::Panicked => write!(f, "a check panicked after {after:?}")?,
        }
        match self.waiting_for.as_slice() {
            [] => Ok(()),
            checks => write!(f, ": {}", checks.join("; ")),
        }
    }
}

impl std::error::Error for NotReady {}

/// Waits until all of `checks` have held, and every declared port is served unless a check chooses ports; and the
/// container runs. The checks are made concurrently; one that has held is not looked at again.
///
/// # Errors
///
/// When the container ends (`exited` resolves), at that moment; when the time is up; when a check fails more often in a
/// row than `timing` allows; when a check cannot ever hold, or panics.
pub(crate) async fn wait(
    subject: &Subject<'_>,
    checks: &[PreparedCheck],
    timing: &PreparedTiming,
    exited: impl Future<Output = ()>,
) -> Result<(), NotReady> {
    let started = Instant::now();
    let (watches, checks): (Vec<Watch>, Vec<Check<'_>>) = expand(subject, checks)
        .into_iter()
        .map(|check| (Watch::new(check.words(subject), check.port()), check))
        .unzip();
    let watches: Arc<[Watch]> = watches.into();
    let watched = watches.clone();
    subject.probes.watched(Box::new(move || {
        let unmet = watched.iter().filter(|watch| !watch.state().met);
        unmet.map(Watch::report).collect()
    }));
    let runs = Watch::new("the container does not run".to_owned(), None);
    let all = async {
        sleep(timing.delay).await;
        let each = checks.into_iter().zip(watches.iter());
        try_join_all(each.map(|(check, watch)| hold(check, subject, timing, watch))).await?;
        // A container may have said that it is ready and have ended before the engine says that it has.
        hold_running(subject, &runs).await;
        Ok(())
    };
    let reason = tokio::select! {
        biased;
        () = pin!(exited) => NotReadyReason::Exited,
        all = timeout(timing.timeout, all) => match all {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(reason)) => reason,
            Err(_) => NotReadyReason::TimedOut,
        },
    };
    let one_decided = matches!(
        reason,
        NotReadyReason::FailedTooOften | NotReadyReason::Impossible | NotReadyReason::Panicked
    );
    let mut unmet: Vec<&Watch> = watches
        .iter()
        .filter(|watch| match one_decided {
            true => watch.state().decided,
            false => !watch.state().met,
        })
        .collect();
    if unmet.is_empty() && reason == NotReadyReason::TimedOut {
        unmet.push(&runs);
    }
    Err(NotReady {
        reason,
        waiting_for: match reason {
            NotReadyReason::Exited => unmet.iter().map(|watch| watch.report_at_end()).collect(),
            _ => unmet.iter().map(|watch| watch.report()).collect(),
        },
        unserved: unmet.iter().filter_map(|watch| watch.unserved()).collect(),
        after: started.elapsed(),
        attempts: unmet
            .iter()
            .map(|watch| watch.state().attempts)
            .max()
            .unwrap_or(0),
    })
}

/// Waits until a container that was ready before is seen to be so still, which takes milliseconds: its ports are looked
/// at, HTTP and other protocols are asked, commands, probes and functions are not run, and what its log said stays said.
/// Whether it has ended is for `exited` to tell.
///
/// # Errors
///
/// As [`wait`].
pub(crate) async fn wait_again(
    subject: &Subject<'_>,
    checks: &[PreparedCheck],
    timing: &PreparedTiming,
    exited: impl Future<Output = ()>,
) -> Result<(), NotReady> {
    let quick = checks.iter().filter(|check| {
        matches!(
            check,
            PreparedCheck::Tcp { .. } | PreparedCheck::Http { .. } | PreparedCheck::Protocol { .. }
        )
    });
    let quick: Vec<PreparedCheck> = quick.cloned().collect();
    let timing = PreparedTiming {
        delay: Duration::ZERO,
        successes: 1,
        ..timing.clone()
    };
    let subject = Subject {
        was_ready: true,
        ..*subject
    };
    wait(&subject, &quick, &timing, exited).await
}

/// One thing to check.
#[derive(Debug)]
enum Check<'a> {
    Tcp(tcp::Port),
    Log(log::Lines<'a>),
    Http(http::Path<'a>),
    Protocol(protocol::Server<'a>),
    Exec(exec::Command),
    Probe(probe::Probe<'a>),
    Hook(probe::Hook<'a>),
    Running,
    Impossible(&'static str, String),
}

/// What one attempt showed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Holds,
    NotYet(String),
    /// Its port refuses connections.
    Unserved(String),
    Never(String),
    Panicked(String),
}

/// One check per thing to wait for, so that each is waited for, and reported, by itself.
fn expand<'a>(subject: &Subject<'_>, checks: &'a [PreparedCheck]) -> Vec<Check<'a>> {
    let each = |ports: &[u16]| -> Vec<Check<'a>> {
        ports
            .iter()
            .map(|&port| Check::Tcp(tcp::Port::new(port)))
            .collect()
    };
    let expanded = checks.iter().flat_map(|check| match check {
        PreparedCheck::Tcp { ports } => each(ports),
        PreparedCheck::Log { text, times } => vec![Check::Log(log::Lines {
            text,
            times: *times,
        })],
        PreparedCheck::Http { port, path, status } => vec![Check::Http(http::Path {
            port: *port,
            path,
            status: *status,
        })],
        PreparedCheck::Protocol { protocol, port, .. }
            if subject.was_ready && !protocol::may_be_asked_again(*protocol) =>
        {
            vec![Check::Tcp(tcp::Port::new(*port))]
        }
        PreparedCheck::Protocol {
            protocol,
            port,
            login,
        } => vec![Check::Protocol(protocol::Server {
            protocol: *protocol,
            port: *port,
            login,
        })],
        PreparedCheck::Exec { command } => vec![Check::Exec(exec::Command::exec(command))],
        PreparedCheck::Healthcheck => vec![match exec::Command::healthcheck(subject.health) {
            Ok(command) => Check::Exec(command),
            Err(reason) => Check::Impossible("healthcheck", reason),
        }],
        PreparedCheck::Running => vec![Check::Running],
        PreparedCheck::Probe { image, command } => {
            vec![Check::Probe(probe::Probe { image, command })]
        }
        PreparedCheck::Hook { binding, name } => vec![Check::Hook(probe::Hook {
            binding: *binding,
            name,
        })],
    });
    // What is declared to be served is waited for whatever else is asked: a command, a log line or a health check may
    // well succeed while the service initialises itself behind closed ports.
    let chosen = checks
        .iter()
        .any(|check| matches!(check, PreparedCheck::Tcp { .. }));
    let asked: Vec<u16> = checks
        .iter()
        .filter_map(|check| match check {
            PreparedCheck::Http { port, .. } | PreparedCheck::Protocol { port, .. } => Some(*port),
            _ => None,
        })
        .collect();
    let implied: Vec<u16> = match chosen {
        true => Vec::new(),
        false => subject
            .ports
            .iter()
            .copied()
            .filter(|port| !asked.contains(port))
            .collect(),
    };
    each(&implied).into_iter().chain(expanded).collect()
}

impl Check<'_> {
    fn words(&self, subject: &Subject<'_>) -> String {
        match self {
            Self::Tcp(port) => port.words(),
            Self::Log(lines) => lines.words(subject),
            Self::Http(path) => path.words(subject),
            Self::Protocol(server) => server.words(),
            Self::Exec(command) => command.words(subject),
            Self::Probe(probe) => probe.words(subject),
            Self::Hook(hook) => hook.words(),
            Self::Running => format!("its process running for {RUNS_FOR:?}"),
            Self::Impossible(what, _) => (*what).to_owned(),
        }
    }

    /// The port that it connects to.
    fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(port) => Some(port.number()),
            Self::Http(path) => Some(path.port),
            Self::Protocol(server) => Some(server.port),
            _ => None,
        }
    }

    fn pace(&self, timing: &PreparedTiming) -> Pace {
        match self {
            Self::Tcp(_) => Pace::connections(timing.interval),
            Self::Exec(_) | Self::Probe(_) => Pace::processes(timing.interval),
            _ => Pace::requests(timing.interval),
        }
    }

    async fn attempt(&mut self, subject: &Subject<'_>) -> Outcome {
        match self {
            Self::Tcp(port) => port.attempt(subject).await,
            Self::Http(path) => path.attempt(subject).await,
            Self::Protocol(server) => server.attempt(subject).await,
            Self::Exec(command) => command.attempt(subject).await,
            Self::Probe(probe) => probe.attempt(subject).await,
            Self::Hook(hook) => hook.attempt(subject).await,
            Self::Running => {
                // Whether it runs then is seen after all checks.
                sleep(RUNS_FOR).await;
                Outcome::Holds
            }
            Self::Impossible(_, reason) => Outcome::Never(reason.clone()),
            Self::Log(_) => unreachable!("the log is followed"),
        }
    }
}

/// Asks the engine until it says that the container runs.
async fn hold_running(subject: &Subject<'_>, watch: &Watch) {
    let mut pace = Pace::requests(None);
    loop {
        watch.begins();
        match subject.engine.inspect(subject.container).await {
            Ok(info) if info.running => return watch.ends(None),
            Ok(_) => watch.ends(None),
            Err(error) => watch.ends(Some(subject.engine_said(&error))),
        }
        sleep(pace.pause()).await;
    }
}

/// Repeats one check until it has held as often as it must.
async fn hold(
    mut check: Check<'_>,
    subject: &Subject<'_>,
    timing: &PreparedTiming,
    watch: &Watch,
) -> Result<(), NotReadyReason> {
    if let Check::Log(lines) = &check {
        return match lines.follow(subject, watch).await {
            Ok(()) => {
                watch.state().met = true;
                Ok(())
            }
            Err(said) => {
                watch.sees(said, None);
                watch.state().decided = true;
                Err(NotReadyReason::Impossible)
            }
        };
    }
    let mut pace = check.pace(timing);
    let mut streaks = Streaks::new(timing);
    loop {
        watch.begins();
        let outcome = check.attempt(subject).await;
        watch.state().unserved = matches!(outcome, Outcome::Unserved(_));
        match outcome {
            Outcome::Holds => {
                watch.ends(None);
                if streaks.success() {
                    watch.state().met = true;
                    return Ok(());
                }
            }
            Outcome::NotYet(said) | Outcome::Unserved(said) => {
                watch.ends(Some(said));
                if streaks.failure(Instant::now()) {
                    watch.state().decided = true;
                    return Err(NotReadyReason::FailedTooOften);
                }
            }
            Outcome::Never(said) => {
                watch.ends(Some(said));
                watch.state().decided = true;
                return Err(NotReadyReason::Impossible);
            }
            Outcome::Panicked(said) => {
                watch.ends(Some(said));
                watch.state().decided = true;
                return Err(NotReadyReason::Panicked);
            }
        }
        sleep(pace.pause()).await;
    }
}
