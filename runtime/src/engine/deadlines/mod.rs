//! The end of every call: a deadline for each kind of call.
//!
//! An engine that hangs accepts connections and never answers. Without deadlines its callers would wait for ever. A
//! call that only looks something up or notes something down has a plain deadline. A call that takes as long as the
//! user's own work (a command, the end of a container, a followed log, a copy, an image) has none. While such a call
//! receives nothing, the engine is asked whether it still answers, in general and about the call's container. The call
//! goes on for as long as the engine answers.

mod locks;
#[cfg(test)]
mod tests;

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

use self::locks::Locks;
use super::error::{EngineError, EngineErrorKind};
use super::kind::Kind;
use super::parts::Parts;

/// The deadlines of an engine's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// For calls that only look something up or note something down. They take milliseconds, or seconds on a very busy
    /// machine.
    pub(crate) short: Duration,
    /// For calls that set up or take down a container. A setup may copy an image's data into a volume, and a stop waits
    /// for the end of the service. The engine holds the container's lock meanwhile.
    pub(crate) long: Duration,
    /// How long a call without a deadline may receive nothing before the engine is asked whether it still answers.
    pub(crate) quiet: Duration,
}

impl Deadlines {
    /// The minimum of `long`, whatever is configured. The time that a service takes to end does not depend on the engine.
    const LONG: Duration = Duration::from_secs(5 * 60);

    /// The deadlines of an engine that may take `short` to answer.
    pub(crate) fn new(short: Duration) -> Self {
        Self {
            short,
            long: short.saturating_mul(5).max(Self::LONG),
            quiet: short / 2,
        }
    }
}

/// An engine with deadlines for its calls. A clone uses the same engine.
#[derive(Clone, Debug)]
pub(super) struct Bounded {
    kind: Kind,
    /// `None` for no deadlines.
    deadlines: Option<Deadlines>,
    locks: Locks,
}

/// What the engine is asked about while a call receives nothing.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    /// Only the engine itself.
    Engine,
    /// Also this container. The answer takes the container's lock in the engine, so a stuck container gets no answer.
    Container(&'a str),
}

/// A call that is under way. It is pinned by reference, as a future that is passed on by value is kept twice.
type UnderWay<'a, F> = Pin<&'a mut F>;

impl Bounded {
    pub(super) fn new(kind: Kind, deadlines: Option<Deadlines>) -> Self {
        Self {
            kind,
            deadlines,
            locks: Locks::default(),
        }
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The outcome of a short call.
    pub(super) async fn short<T>(
        &self,
        attempt: &str,
        call: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        match self.deadlines {
            Some(deadlines) => self.within(deadlines.short, attempt, call).await,
            None => call.await,
        }
    }

    /// The outcome of a long call. An engine that hangs is noticed before the deadline.
    pub(super) async fn long<T>(
        &self,
        attempt: &str,
        call: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        self.long_after(Duration::ZERO, attempt, call).await
    }

    /// The outcome of a call that waits for `grace_period` and then is long.
    async fn long_after<T>(
        &self,
        grace_period: Duration,
        attempt: &str,
        call: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        let call = self.watched(attempt, About::Engine, call);
        match self.deadlines {
            Some(deadlines) => {
                let within = deadlines.long.saturating_add(grace_period);
                self.within(within, attempt, call).await
            }
            None => call.await,
        }
    }

    /// The outcome of `call`, or an error once `deadline` has passed.
    async fn within<T>(
        &self,
        deadline: Duration,
        attempt: &str,
        call: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let outcome = timeout(deadline, call).await;
        outcome.unwrap_or_else(|_| Err(self.unanswered(deadline, attempt)))
    }

    /// The outcome of `call` without a deadline, or an error once the engine does not answer.
    pub(super) async fn watched<T>(
        &self,
        attempt: &str,
        about: About<'_>,
        call: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        self.watch(attempt, about, call).await?
    }

    /// The outcome of a copy into a container. The copy holds the container's lock, so the engine is asked about itself
    /// only.
    pub(super) async fn copying<T>(
        &self,
        attempt: &str,
        container: &str,
        call: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        let _held = self.locks.hold(container);
        self.watched(attempt, About::Engine, call).await
    }

    /// The outcome of a stop that gives the container's process `grace_period` to end. The deadline is that of a long call
    /// plus `grace_period`. An engine that waits for the container's end may hold the container's lock, as during a copy.
    pub(super) async fn stopping<T>(
        &self,
        attempt: &str,
        container: &str,
        grace_period: Duration,
        call: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        let _held = self.locks.hold(container);
        self.long_after(grace_period, attempt, call).await
    }

    /// The parts of a copy out of a container, with the rules of [`copying`](Self::copying).
    pub(super) fn copying_parts<T: Send + 'static>(
        &self,
        attempt: &'static str,
        container: &str,
        parts: Parts<T>,
    ) -> Parts<T> {
        let held = self.locks.hold(container);
        let parts = self.watched_parts_of(attempt, None, parts);
        let parts = self.each_within(|deadlines| deadlines.long, attempt, parts);
        // The copy is under way until the stream is dropped.
        Box::pin(parts.inspect(move |_| {
            let _ = &held;
        }))
    }

    /// The parts of an answer without a deadline, or an error once the engine does not answer.
    pub(super) fn watched_parts<T: Send + 'static>(
        &self,
        attempt: &'static str,
        container: &str,
        parts: Parts<T>,
    ) -> Parts<T> {
        self.watched_parts_of(attempt, Some(container.to_owned()), parts)
    }

    fn watched_parts_of<T: Send + 'static>(
        &self,
        attempt: &'static str,
        container: Option<String>,
        parts: Parts<T>,
    ) -> Parts<T> {
        let begun = (self.clone(), container, parts);
        Box::pin(stream::unfold(Some(begun), move |state| async move {
            let (this, container, mut parts) = state?;
            let about = container.as_deref().map_or(About::Engine, About::Container);
            match this.watch(attempt, about, parts.next()).await {
                Ok(part) => part.map(|part| (part, Some((this, container, parts)))),
                Err(error) => Some((Err(error), None)),
            }
        }))
    }

    /// The parts of an answer that waits for nothing, or an error if the next part does not come within the short
    /// deadline.
    pub(super) fn short_parts<T: Send + 'static>(
        &self,
        attempt: &'static str,
        parts: Parts<T>,
    ) -> Parts<T> {
        self.each_within(|deadlines| deadlines.short, attempt, parts)
    }

    /// The parts of an answer, or an error if the next part does not come within the deadline.
    fn each_within<T: Send + 'static>(
        &self,
        deadline: impl FnOnce(Deadlines) -> Duration,
        attempt: &'static str,
        parts: Parts<T>,
    ) -> Parts<T> {
        let Some(deadline) = self.deadlines.map(deadline) else {
            return parts;
        };
        let begun = (self.clone(), parts);
        Box::pin(stream::unfold(Some(begun), move |state| async move {
            let (this, mut parts) = state?;
            match timeout(deadline, parts.next()).await {
                Ok(part) => part.map(|part| (part, Some((this, parts)))),
                Err(_) => Some((Err(this.unanswered(deadline, attempt)), None)),
            }
        }))
    }

    /// Waits for something. Asks the engine whether it still answers whenever nothing came for a while.
    async fn watch<T>(
        &self,
        attempt: &str,
        about: About<'_>,
        mut waiting: impl Future<Output = T> + Unpin,
    ) -> Result<T, EngineError> {
        let Some(deadlines) = self.deadlines else {
            return Ok(waiting.await);
        };
        loop {
            if let Ok(outcome) = timeout(deadlines.quiet, &mut waiting).await {
                return Ok(outcome);
            }
            tokio::select! {
                biased;
                outcome = &mut waiting => return Ok(outcome),
                answers = self.ask(deadlines, attempt, about) => answers?,
            }
        }
    }

    /// Checks whether the engine still answers and whether the container still exists.
    async fn ask(
        &self,
        deadlines: Deadlines,
        attempt: &str,
        about: About<'_>,
    ) -> Result<(), EngineError> {
        let networks = pin!(self.kind.networks());
        let short = deadlines.short;
        self.answered(deadlines.quiet, short, attempt, "its networks", networks)
            .await?;
        let About::Container(id) = about else {
            return Ok(());
        };
        // The long deadline, as a call that sets the container up or takes it down holds its lock.
        let long = deadlines.long;
        let inspected = pin!(self.kind.inspect(id));
        let answered = self.answered(
            deadlines.quiet,
            long,
            attempt,
            "the container's state",
            inspected,
        );
        match answered.await {
            // A copy holds the lock as well, for as long as it takes.
            Err(error) if error.kind == EngineErrorKind::Unreachable && self.locks.is_held(id) => {
                Ok(())
            }
            answered => answered,
        }
    }

    /// Whether the engine answers a question. Any answer counts, unless it means that waiting is pointless.
    async fn answered<T>(
        &self,
        quiet: Duration,
        within: Duration,
        attempt: &str,
        asked: &str,
        question: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<(), EngineError> {
        use EngineErrorKind::{NotFound, Unreachable};
        match timeout(within, question).await {
            Ok(Err(error)) if matches!(error.kind, Unreachable | NotFound) => Err(EngineError {
                attempt: attempt.to_owned(),
                ..error
            }),
            Ok(_) => Ok(()),
            Err(_) => Err(EngineError {
                kind: Unreachable,
                attempt: attempt.to_owned(),
                message: format!(
                    "no data for {quiet:?}, and the engine at {} has not answered a request for {asked} within {within:?}",
                    self.kind.info().address
                ),
            }),
        }
    }

    fn unanswered(&self, deadline: Duration, attempt: &str) -> EngineError {
        EngineError {
            kind: EngineErrorKind::Unreachable,
            attempt: attempt.to_owned(),
            message: format!(
                "the engine at {} has not answered within {deadline:?}",
                self.kind.info().address
            ),
        }
    }
}
