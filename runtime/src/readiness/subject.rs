//! What is waited for, and who runs what a check needs beyond the container itself.
//!
//! Owns nothing that changes during a wait.

use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;

use seatrial_model::ImageRef;
use seatrial_model::secret::Redactor;

use super::output_position::OutputPosition;
use crate::engine::{Engine, EngineError, ExecResult, PublishedPort};
use crate::protocol::HookFailure;
use crate::visible::quoted;

/// The container that is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) engine: &'a Engine,
    /// Its id.
    pub(crate) container: &'a str,
    /// On its network.
    pub(crate) address: Ipv4Addr,
    /// Whether `address` is reachable from this process: [`is_direct`](super::reach::is_direct) of the network's gateway.
    pub(crate) direct: bool,
    pub(crate) published: &'a [PublishedPort],
    /// What it had written before it was started this time; the beginning for its first start.
    pub(crate) output_before: OutputPosition,
    pub(crate) probes: &'a dyn ProbeRunner,
    /// Hides the secrets in what its checks quote.
    pub(crate) redactor: &'a Redactor,
}

impl Subject<'_> {
    /// What goes into a sentence of ours, without secrets.
    pub(super) fn quoted(&self, text: &str) -> String {
        quoted(self.redactor, text)
    }

    /// As [`quoted`](Self::quoted).
    pub(super) fn engine_said(&self, error: &EngineError) -> String {
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
    fn watched(&self, report: Box<dyn Fn() -> Vec<String> + Send>);
}
