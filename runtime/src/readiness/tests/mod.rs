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
use seatrial_model::{ImageRef, Protocol, Timing};
use tokio::time::{Instant, sleep};

use super::check::{Check, RUNS_FOR, expand};
use super::protocol::Login;
use super::reach;
use super::*;
use crate::engine::{Engine, EngineError, EngineErrorKind, ExecResult, PublishedPort};
use crate::images::fixture::IMAGE;
use crate::protocol::HookFailure;

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

fn probe(command: &[&str]) -> PreparedCheck {
    PreparedCheck::Probe {
        image: IMAGE.parse().expect("an image"),
        command: command.iter().map(|&word| word.to_owned()).collect(),
    }
}

/// The number of [`hook`]'s function.
const BINDING: usize = 7;

fn hook() -> PreparedCheck {
    PreparedCheck::Hook {
        binding: BINDING,
        name: "shop::is_up".to_owned(),
    }
}

/// The wait's end, which must be this one.
fn ended(outcome: Result<(), NotReady>, reason: NotReadyReason) -> NotReady {
    let error = outcome.expect_err("it must not be ready");
    assert_eq!(error.reason, reason, "{error}");
    error
}
