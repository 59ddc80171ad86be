//! The checks: made from a declaration, one for each thing to wait for.
//!
//! Each kind of check has its own file; this one only tells them apart.

use std::time::Duration;

use seatrial_model::{CheckKind, ImageRef, Protocol, ServicePlan, Template};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::outcome::Outcome;
use super::pace::Pace;
use super::protocol::{self, Login};
use super::subject::Subject;
use super::timing::PreparedTiming;
use super::{exec, http, log, probe, tcp};

/// How long a process must run to count as running. One that cannot do its work ends within some milliseconds, and the
/// engine tells of that some milliseconds later.
pub(super) const RUNS_FOR: Duration = Duration::from_millis(200);

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

/// One thing to check.
#[derive(Debug)]
pub(super) enum Check<'a> {
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

/// One check per thing to wait for, so that each is waited for, and reported, by itself.
pub(super) fn expand<'a>(subject: &Subject<'_>, checks: &'a [PreparedCheck]) -> Vec<Check<'a>> {
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
    pub(super) fn words(&self, subject: &Subject<'_>) -> String {
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
    pub(super) fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(port) => Some(port.number()),
            Self::Http(path) => Some(path.port),
            Self::Protocol(server) => Some(server.port),
            _ => None,
        }
    }

    pub(super) fn pace(&self, timing: &PreparedTiming) -> Pace {
        match self {
            Self::Tcp(_) => Pace::connections(timing.interval),
            Self::Exec(_) | Self::Probe(_) => Pace::processes(timing.interval),
            _ => Pace::requests(timing.interval),
        }
    }

    pub(super) async fn attempt(&mut self, subject: &Subject<'_>) -> Outcome {
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
