//! The container of a wait, and the trait for what a check needs beyond the container.
//!
//! Nothing here changes during a wait.

use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;

use seatrial_model::ImageRef;
use seatrial_model::secret::Redactor;

use super::output_position::OutputPosition;
use crate::engine::{Engine, EngineError, ExecResult, PublishedPort};
use crate::protocol::HookFailure;
use crate::visible::quoted;

/// The container of a wait.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) engine: &'a Engine,
    /// The container's id.
    pub(crate) container: &'a str,
    /// The container's address on its network.
    pub(crate) address: Ipv4Addr,
    /// Whether `address` is reachable from this process: [`is_direct`](super::reach::is_direct) of the network's gateway.
    pub(crate) direct: bool,
    pub(crate) published: &'a [PublishedPort],
    /// The length of its output before this start. Zero for the first start.
    pub(crate) output_before: OutputPosition,
    pub(crate) probes: &'a dyn ProbeRunner,
    /// Hides secrets in the quotes of its checks.
    pub(crate) redactor: &'a Redactor,
}

impl Subject<'_> {
    /// A quote for one of our messages, without secrets.
    pub(super) fn quoted(&self, text: &str) -> String {
        quoted(self.redactor, text)
    }

    /// The message of an engine, as [`quoted`](Self::quoted).
    pub(super) fn engine_said(&self, error: &EngineError) -> String {
        error.redacted(self.redactor).to_string()
    }
}

/// The future of a probe. Its error has no secrets.
pub(crate) type Run<'a, T, E = String> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Runs what a check needs beyond the container. Dropping the future of a run aborts it.
pub(crate) trait ProbeRunner: Send + Sync {
    /// Runs `command` in a new container of `image` on the subject's network to its end. The implementor guards and
    /// removes the container.
    fn run_probe<'a>(&'a self, image: &'a ImageRef, command: Vec<String>) -> Run<'a, ExecResult>;

    /// Runs the user's async function number `binding`.
    fn run_hook(&self, binding: usize) -> Run<'_, (), HookFailure>;

    /// Receives a function that reports the unmet checks and their last results during a wait.
    fn watched(&self, report: Box<dyn Fn() -> Vec<String> + Send>);
}
