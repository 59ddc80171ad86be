//! Waits for containers: as time goes by, on an engine that answers from a script; and for real ones on the real
//! engine, of which no assertion is about time.
//!
//! The modules with real containers are named `engine_*` so that a machine without an engine can leave them out.

mod engine_ends;
mod engine_inside;
mod engine_outside;
mod engine_ports;
mod engine_protocols;
mod exits;
mod fake;
mod pacing;
mod secrets;
mod service;
mod time_outs;

use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seatrial_model::secret::Redactor;
use seatrial_model::{CheckKind, ImageRef, Origin, Port, Protocol, ServicePlan, Template, Timing};
use tokio::time::{Instant, sleep};

use super::check::RUNS_FOR;
use super::reach;
use super::*;
use crate::engine::{Engine, EngineError, EngineErrorKind, ExecResult, PublishedPort};
use crate::images::fixture::IMAGE;
use crate::protocol::HookFailure;

fn within(seconds: u64) -> PreparedTiming {
    PreparedTiming::new(&Timing::default(), Duration::from_secs(seconds))
}

/// The checks of a service with these declared checks, in an image with this `HEALTHCHECK`.
fn checks_of(mut service: ServicePlan, declared: &[CheckKind], health: &[String]) -> Vec<Check> {
    let declared = declared.iter().cloned();
    service.ready = declared
        .map(|kind| seatrial_model::Check { kind })
        .collect();
    Check::all_of(&service, health, |text| text.render(|_| String::new()))
}

/// A service that declares no check.
fn service(ports: &[u16]) -> ServicePlan {
    let image = IMAGE.parse().expect("an image");
    let mut service = ServicePlan::new("service", Origin::Image(image));
    let ports = ports.iter().map(|&number| Port { name: None, number });
    service.ports = ports.collect();
    service
}

fn words(command: &[&str]) -> Vec<Template> {
    command.iter().copied().map(Template::literal).collect()
}

fn tcp(port: u16) -> CheckKind {
    CheckKind::Tcp { ports: vec![port] }
}

fn http(port: u16) -> CheckKind {
    CheckKind::Http {
        port,
        path: "/health".to_owned(),
        status: None,
    }
}

fn log(text: &str, times: u32) -> CheckKind {
    CheckKind::Log {
        text: text.to_owned(),
        times,
    }
}

fn exec(command: &[&str]) -> CheckKind {
    CheckKind::Exec {
        command: words(command),
    }
}

fn probe(command: &[&str]) -> CheckKind {
    CheckKind::Probe {
        image: IMAGE.parse().expect("an image"),
        command: words(command),
    }
}

/// The number of [`hook`]'s function.
const BINDING: usize = 7;

fn hook() -> CheckKind {
    CheckKind::Hook {
        binding: BINDING,
        name: "shop::is_up".to_owned(),
    }
}

/// Each unmet check and what it last saw.
fn said(error: &NotReady) -> String {
    let said: Vec<&str> = error
        .waiting_for
        .iter()
        .chain(&error.advice)
        .map(String::as_str)
        .collect();
    said.join("; ")
}

/// The error of a wait, which must have this reason.
fn ended(outcome: Result<(), NotReady>, reason: NotReadyReason) -> NotReady {
    let error = outcome.expect_err("it must not be ready");
    assert_eq!(error.reason, reason, "{error:?}");
    error
}
