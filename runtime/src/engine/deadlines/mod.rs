//! The end of every call: a deadline for each kind of call.
//!
//! An engine that hangs accepts connections and never answers; without this, whoever asks it would wait for ever. What is
//! only looked up or noted down has a plain deadline. What takes as long as the user's own matter takes (a command, a
//! container's end, a log that is followed, a copy, an image) has none: while nothing comes from it, the engine is asked
//! whether it still answers, in general and about that very container, and as long as it does it is waited for.

mod copies;
#[cfg(test)]
mod tests;

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

use self::copies::Copies;
use super::error::{EngineError, EngineErrorKind};
use super::kind::Kind;
use super::parts::Parts;

/// How long an engine may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// For what it only looks up or notes down: milliseconds, and seconds on a machine that is very busy.
    pub(crate) short: Duration,
    /// For what makes it set up or take down a container: the first may copy an image's data into a volume, and a stop
    /// waits for the service's own end. It has a container's lock for as long.
    pub(crate) long: Duration,
    /// How long nothing may come from what has no deadline, before the engine is asked whether it still answers.
    pub(crate) quiet: Duration,
}

impl Deadlines {
    /// Whatever is configured: how long a service takes to end is not the engine's own matter.
    const LONG: Duration = Duration::from_secs(5 * 60);

    /// Those of an engine that may take this long for an answer.
    pub(crate) fn new(short: Duration) -> Self {
        Self {
            short,
            long: short.saturating_mul(5).max(Self::LONG),
            quiet: short / 2,
        }
    }
}

/// An engine's calls within deadlines. A clone watches the same engine.
#[derive(Clone, Debug)]
pub(super) struct Bounded {
    kind: Kind,
    /// `None` bounds nothing.
    deadlines: Option<Deadlines>,
    copies: Copies,
}

/// What the engine is asked about while nothing comes from a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    /// Itself only.
    Engine,
    /// Also this container. The answer takes the container's lock in the engine, so a container that is stuck has none.
    Container(&'a str),
}

/// A call that is under way. By reference, for a future that is passed on by value is kept twice.
type UnderWay<'a, F> = Pin<&'a mut F>;

impl Bounded {
    pub(super) fn new(kind: Kind, deadlines: Option<Deadlines>) -> Self {
        Self {
            kind,
            deadlines,
            copies: Copies::default(),
        }
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The outcome of a call that is short.
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

    /// The outcome of a call that is long; an engine that hangs is noticed before.
    pub(super) async fn long<T>(
        &self,
        attempt: &str,
        call: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        let call = self.watched(attempt, About::Engine, call);
        match self.deadlines {
            Some(deadlines) => self.within(deadlines.long, attempt, call).await,
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

    /// The outcome of `call`, however long it takes, or an error once the engine does not answer.
    pub(super) async fn watched<T>(
        &self,
        attempt: &str,
        about: About<'_>,
        call: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        self.watch(attempt, about, call).await?
    }

    /// The outcome of a copy into a container. It has the container's lock itself, so only the engine can be asked.
    pub(super) async fn copying<T>(
        &self,
        attempt: &str,
        container: &str,
        call: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        let _copy = self.copies.begin(container);
        self.watched(attempt, About::Engine, call).await
    }

    /// The outcome of a stop, for which the container's process is given `patience`. The deadline is that of a long call, on top
    /// of it. An engine that waits for the container's end may have its lock, as one that copies does.
    pub(super) async fn stopping<T>(
        &self,
        attempt: &str,
        container: &str,
        patience: Duration,
        call: UnderWay<'_, impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        let _held = self.copies.begin(container);
        let call = self.watched(attempt, About::Engine, call);
        match self.deadlines {
            Some(deadlines) => {
                let within = deadlines.long.saturating_add(patience);
                self.within(within, attempt, call).await
            }
            None => call.await,
        }
    }

    /// The parts of a copy out of a container, as [`copying`](Self::copying).
    pub(super) fn copying_parts<T: Send + 'static>(
        &self,
        attempt: &'static str,
        container: &str,
        parts: Parts<T>,
    ) -> Parts<T> {
        let copy = self.copies.begin(container);
        let parts = self.watched_parts_of(attempt, None, parts);
        let parts = self.each_within(|deadlines| deadlines.long, attempt, parts);
        // It is under way until the stream is dropped.
        Box::pin(parts.inspect(move |_| {
            let _ = &copy;
        }))
    }

    /// The parts of an answer about a container that waits for something, or an error once the engine does not answer.
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

    /// The parts of an answer that waits for nothing, or an error once the next has not come in a short time.
    pub(super) fn short_parts<T: Send + 'static>(
        &self,
        attempt: &'static str,
        parts: Parts<T>,
    ) -> Parts<T> {
        self.each_within(|deadlines| deadlines.short, attempt, parts)
    }

    /// The parts of an answer, or an error once the next has not come within the deadline.
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

    /// Waits for something, and asks the engine whenever it has been quiet.
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

    /// Sees whether the engine still answers, and whether the container is still there.
    async fn ask(
        &self,
        deadlines: Deadlines,
        attempt: &str,
        about: About<'_>,
    ) -> Result<(), EngineError> {
        let networks = pin!(self.kind.networks());
        let short = deadlines.short;
        self.answered(
            deadlines.quiet,
            short,
            attempt,
            "for its networks",
            networks,
        )
        .await?;
        let About::Container(id) = about else {
            return Ok(());
        };
        // Longer, for whatever sets the container up or takes it down has its lock.
        let long = deadlines.long;
        let inspected = pin!(self.kind.inspect(id));
        let answered = self.answered(
            deadlines.quiet,
            long,
            attempt,
            "for the container's state",
            inspected,
        );
        match answered.await {
            // A copy has the lock as well, and takes as long as what is copied is large.
            Err(error)
                if error.kind == EngineErrorKind::Unreachable && self.copies.are_made_of(id) =>
            {
                Ok(())
            }
            answered => answered,
        }
    }

    /// Whether a question is answered, whatever the answer says, unless that it has become pointless to wait.
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
                    "nothing came for {quiet:?}, and the engine at {}, asked {asked}, has not answered within {within:?}",
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
