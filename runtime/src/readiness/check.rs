//! The checks of a service, made from its declaration. Each condition is a check of its own, which is awaited and
//! reported by itself.
//!
//! Each kind of check has a file of its own. This file only dispatches to them.

use std::time::Duration;

use seatrial_model::{CheckKind, ServicePlan, Template};
use tokio::time::sleep;

use super::outcome::Outcome;
use super::pace::Pace;
use super::protocol::{Login, Server};
use super::subject::Subject;
use super::timing::PreparedTiming;
use super::{exec, http, log, probe, tcp};

/// How long a process must run to count as running. A process that cannot work ends within some milliseconds, and the
/// engine reports the end some milliseconds later.
pub(super) const RUNS_FOR: Duration = Duration::from_millis(200);

/// One condition to wait for.
#[derive(Debug)]
pub(crate) enum Check {
    Tcp(tcp::Port),
    Log(log::Lines),
    Http(http::Path),
    Protocol(Server),
    Exec(exec::Command),
    Probe(probe::Probe),
    Hook(probe::Hook),
    Running,
    Impossible {
        description: &'static str,
        reason: String,
    },
}

impl Check {
    /// All checks that must hold for a service to be ready. `health` is the `HEALTHCHECK` command of its image, as in
    /// [`ImageInfo`](crate::engine::ImageInfo). `render` replaces placeholders by their values.
    pub(crate) fn all_of(
        service: &ServicePlan,
        health: &[String],
        mut render: impl FnMut(&Template) -> String,
    ) -> Vec<Self> {
        let implied = implied_ports(service);
        let mut checks: Vec<Self> = implied.into_iter().map(Self::tcp).collect();
        for declared in &service.ready {
            checks.extend(Self::declared(&declared.kind, service, health, &mut render));
        }
        checks
    }

    fn declared(
        kind: &CheckKind,
        service: &ServicePlan,
        health: &[String],
        mut render: impl FnMut(&Template) -> String,
    ) -> Vec<Self> {
        let check = match kind {
            CheckKind::Tcp { ports } => return ports.iter().copied().map(Self::tcp).collect(),
            CheckKind::Log { text, times } => Self::Log(log::Lines {
                text: text.clone(),
                times: *times,
            }),
            CheckKind::Http { port, path, status } => Self::Http(http::Path {
                port: *port,
                path: path.clone(),
                status: *status,
            }),
            CheckKind::Protocol { protocol, port } => Self::Protocol(Server {
                protocol: *protocol,
                port: *port,
                login: Login::of(*protocol, service, render),
            }),
            CheckKind::Exec { command } => {
                Self::Exec(exec::Command::exec(command.iter().map(render).collect()))
            }
            CheckKind::Healthcheck => match exec::Command::healthcheck(health) {
                Ok(command) => Self::Exec(command),
                Err(reason) => Self::Impossible {
                    description: "healthcheck",
                    reason,
                },
            },
            CheckKind::Running => Self::Running,
            CheckKind::Probe { image, command } => Self::Probe(probe::Probe {
                image: image.reference().clone(),
                command: command.iter().map(&mut render).collect(),
            }),
            CheckKind::Hook { binding, name } => Self::Hook(probe::Hook {
                binding: *binding,
                name: name.clone(),
            }),
        };
        vec![check]
    }

    fn tcp(port: u16) -> Self {
        Self::Tcp(tcp::Port::new(port))
    }

    /// The check of a service that was ready before. It takes milliseconds and does nothing to the service. `None` if
    /// this kind is not checked again.
    pub(super) fn again(self) -> Option<Self> {
        match self {
            Self::Tcp(port) => Some(Self::Tcp(port.again())),
            Self::Protocol(server) if !server.may_be_asked_again() => {
                Some(Self::Tcp(tcp::Port::new(server.port).again()))
            }
            Self::Http(_) | Self::Protocol(_) => Some(self),
            _ => None,
        }
    }

    pub(super) fn describe(&self, subject: &Subject<'_>) -> String {
        match self {
            Self::Tcp(port) => port.describe(),
            Self::Log(lines) => lines.describe(subject),
            Self::Http(path) => path.describe(subject),
            Self::Protocol(server) => server.describe(),
            Self::Exec(command) => command.describe(subject),
            Self::Probe(probe) => probe.describe(subject),
            Self::Hook(hook) => hook.describe(),
            Self::Running => format!("a process that runs for {RUNS_FOR:?}"),
            Self::Impossible { description, .. } => (*description).to_owned(),
        }
    }

    /// The port to which the check connects.
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
            Self::Exec(_) | Self::Probe(_) => Pace::processes(timing.interval),
            Self::Hook(_) => Pace::calls(timing.interval),
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
                // Whether the process still runs is checked after all other checks.
                sleep(RUNS_FOR).await;
                Outcome::Holds
            }
            Self::Impossible { reason, .. } => Outcome::Never(reason.clone()),
            Self::Log(_) => unreachable!("the log is followed"),
        }
    }
}

/// The ports to wait for although no check names them.
///
/// A declared port is awaited whatever else the declaration checks, as a command, a log line or a health check may
/// succeed while the service initialises itself with closed ports. A check that names ports replaces this.
fn implied_ports(service: &ServicePlan) -> Vec<u16> {
    let kinds = || service.ready.iter().map(|check| &check.kind);
    if kinds().any(|kind| matches!(kind, CheckKind::Tcp { .. })) {
        return Vec::new();
    }
    let is_asked = |port: &u16| {
        kinds().any(|kind| match kind {
            CheckKind::Http { port: asked, .. } | CheckKind::Protocol { port: asked, .. } => {
                asked == port
            }
            _ => false,
        })
    };
    let ports = service.ports.iter().map(|port| port.number);
    ports.filter(|port| !is_asked(port)).collect()
}
