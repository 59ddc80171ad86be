//! Removes everything that was created.
//!
//! A [`Guard`] exists before its container does. It is dropped sooner or later, also if the task that holds it is
//! cancelled in the middle of the creation or the start. The container is then removed in the background, after that
//! call has ended. Only the end of the run waits for the removal. The journal has everything that exists or may exist.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::journal::Journal;
use crate::engine::{Attachment, ContainerSpec, Engine, EngineError, EngineErrorKind};
use crate::terminal;

/// How long a removal is retried that begins after the time for all removals is over: what used the thing is gone by
/// then.
const REMOVED_WITHIN_AT_LEAST: Duration = Duration::from_secs(2);
/// How long an engine may go on with a creation after its connection has broken.
const CREATED_WITHIN: Duration = Duration::from_secs(5);
/// The pauses between two questions about a creation, as the engine reports neither its success nor its failure: first
/// short, then longer.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Removes what nobody holds any more.
#[derive(Clone, Debug)]
pub(super) struct Reaper {
    pub(super) journal: Journal,
    /// What is not removed yet, and the tasks that may still create something.
    alive: TaskTracker,
    /// How long removals that fail for a passing reason are retried after the end of the run. They are retried for as
    /// long as the run goes on.
    removed_within: Duration,
    /// When the run ended.
    over_since: Arc<watch::Sender<Option<Instant>>>,
    /// The volumes in use, by name. The launches that share a volume share one guard.
    volumes: Arc<Mutex<HashMap<String, Weak<VolumeGuard>>>>,
}

/// Holds a container from before its creation. Dropping it removes the container.
pub(super) struct Guard {
    reaper: Reaper,
    engine: Engine,
    name: String,
    /// The call under way, which goes on to its end.
    busy: TaskTracker,
    /// Whether anything was asked of the engine yet, so that the container may exist.
    is_begun: AtomicBool,
    creation: Creation,
    /// What the container uses. It is released after the container is removed.
    used: Vec<Box<dyn Send + Sync>>,
    /// Is called once the container is removed.
    when_removed: Option<Box<dyn FnOnce() + Send + Sync>>,
    alive: TaskTrackerToken,
}

/// A task that may still create something, until it is dropped.
pub(super) type TaskGuard = TaskTrackerToken;

/// Holds a volume. Dropping it removes the volume.
#[derive(Debug)]
pub(super) struct VolumeGuard {
    reaper: Reaper,
    engine: Engine,
    name: String,
    alive: TaskTrackerToken,
}

impl Reaper {
    pub(super) fn new(journal: Journal, removed_within: Duration) -> Self {
        Self {
            journal,
            removed_within,
            over_since: Arc::new(watch::Sender::new(None)),
            alive: TaskTracker::new(),
            volumes: Arc::default(),
        }
    }

    /// Counts a task that may still create something.
    pub(super) fn task_guard(&self) -> TaskGuard {
        self.alive.token()
    }

    /// A guard for a container that is about to be created under `name`.
    pub(super) fn guard(&self, engine: &Engine, name: String) -> Guard {
        Guard {
            reaper: self.clone(),
            engine: engine.clone(),
            name,
            busy: TaskTracker::new(),
            is_begun: AtomicBool::new(false),
            creation: Creation::default(),
            used: Vec::new(),
            when_removed: None,
            alive: self.alive.token(),
        }
    }

    /// The guard for the volume `name`, which is about to be created or exists already.
    pub(super) fn volume(&self, engine: &Engine, name: String) -> Arc<VolumeGuard> {
        let mut volumes = self.volumes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guard) = volumes.get(&name).and_then(Weak::upgrade) {
            return guard;
        }
        let guard = Arc::new(VolumeGuard {
            reaper: self.clone(),
            engine: engine.clone(),
            name: name.clone(),
            alive: self.alive.token(),
        });
        volumes.retain(|_, guard| guard.strong_count() > 0);
        volumes.insert(name, Arc::downgrade(&guard));
        guard
    }

    /// Waits until every guard is dropped and what it held is removed, or cannot be removed.
    pub(super) async fn close(&self) {
        self.over_since
            .send_modify(|over| *over = over.or_else(|| Some(Instant::now())));
        self.alive.close();
        self.alive.wait().await;
    }

    /// Waits for the end of the run.
    pub(super) async fn over(&self) {
        let mut over_since = self.over_since.subscribe();
        // The sender is part of this value.
        let _ = over_since.wait_for(Option::is_some).await;
    }

    /// Retries a removal until it succeeds, until it fails for a lasting reason, or until the run and the time for
    /// removals are over.
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt.
    pub(super) async fn persistently<T, F>(&self, removal: impl Fn() -> F) -> Result<T, EngineError>
    where
        F: Future<Output = Result<T, EngineError>>,
    {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match removal().await {
                Err(error) if passes(&error) && !self.has_taken_too_long(begun) => {
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                outcome => return outcome,
            }
        }
    }

    /// Removes the result of a creation whose answer was lost: looks for the thing until it appears and is removed, or
    /// until the engine has had the time to create it. `removal` returns whether the thing existed.
    ///
    /// # Errors
    ///
    /// Returns an error if the thing cannot be removed, or if the engine does not answer.
    pub(super) async fn uncertain<F>(&self, removal: impl Fn() -> F) -> Result<(), EngineError>
    where
        F: Future<Output = Result<bool, EngineError>>,
    {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match removal().await {
                Ok(true) => return Ok(()),
                Ok(false) if begun.elapsed() >= CREATED_WITHIN => return Ok(()),
                Err(error) if !passes(&error) || self.has_taken_too_long(begun) => {
                    return Err(error);
                }
                Ok(false) | Err(_) => {}
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Whether to give up a removal that began at this time. Removals are not given up while the run goes on. After
    /// that, all of them share the same time.
    fn has_taken_too_long(&self, begun: Instant) -> bool {
        let over_since = *self.over_since.borrow();
        over_since.is_some_and(|over| over.elapsed() >= self.removed_within)
            && begun.elapsed() >= REMOVED_WITHIN_AT_LEAST
    }

    /// Notes the outcome of a removal, and reports an error to the user. If no user is left and the journal has the
    /// thing, its next reader tries again and reports.
    pub(super) fn removed(&self, thing: &str, outcome: Result<(), EngineError>) {
        match outcome {
            Ok(()) => self.journal.removed(thing),
            Err(_) if self.over_since.borrow().is_some() && self.journal.has(thing) => {}
            Err(error) => report_leftover(thing, &error),
        }
    }
}

impl Guard {
    /// Keeps `thing` until the container is removed.
    pub(super) fn uses(&mut self, thing: impl Send + Sync + 'static) {
        self.used.push(Box::new(thing));
    }

    /// Calls `done` when the container is removed. A removal that fails is not reported to it.
    pub(super) fn when_removed(&mut self, done: impl FnOnce() + Send + Sync + 'static) {
        self.when_removed = Some(Box::new(done));
    }

    /// Creates the container and returns its id.
    pub(super) async fn create(&self, spec: ContainerSpec) -> Result<String, EngineError> {
        debug_assert_eq!(spec.name, self.name, "the guard removes by this name");
        let (engine, creation) = (self.engine.clone(), self.creation.clone());
        let (journal, thing) = (self.reaper.journal.clone(), container(&self.name));
        journal.creating(&thing);
        self.run_to_completion("create the container", async move {
            let created = engine.create(&spec).await;
            match &created {
                Ok(_) => journal.created(&thing),
                Err(error) => creation.ended_with(error.kind),
            }
            created
        })
        .await
    }

    /// Starts the container.
    pub(super) async fn start(&self, id: &str) -> Result<(), EngineError> {
        let (engine, id) = (self.engine.clone(), id.to_owned());
        let starting = async move { engine.start(&id).await };
        self.run_to_completion("start the container", starting)
            .await
    }

    /// Asks the container's process to end, and kills it after `grace_period`, or after the engine's default.
    pub(super) async fn stop(
        &self,
        id: &str,
        grace_period: Option<Duration>,
    ) -> Result<(), EngineError> {
        let (engine, id) = (self.engine.clone(), id.to_owned());
        let stopping = async move { engine.stop(&id, grace_period).await };
        self.run_to_completion("stop the container", stopping).await
    }

    /// Sends a signal to the container's process, by default `SIGKILL`.
    pub(super) async fn kill(&self, id: &str, signal: Option<String>) -> Result<(), EngineError> {
        let (engine, id) = (self.engine.clone(), id.to_owned());
        let killing = async move { engine.kill(&id, signal.as_deref()).await };
        self.run_to_completion("kill the container", killing).await
    }

    /// Detaches the container from a network.
    pub(super) async fn disconnect(&self, id: &str, network: &str) -> Result<(), EngineError> {
        let (engine, id, network) = (self.engine.clone(), id.to_owned(), network.to_owned());
        let disconnecting = async move { engine.disconnect(&id, &network).await };
        self.run_to_completion("disconnect the container from its network", disconnecting)
            .await
    }

    /// Attaches the container to a network again.
    pub(super) async fn connect(
        &self,
        id: &str,
        attachment: Attachment,
    ) -> Result<(), EngineError> {
        let (engine, id) = (self.engine.clone(), id.to_owned());
        let connecting = async move { engine.connect(&id, &attachment).await };
        self.run_to_completion("connect the container to its network", connecting)
            .await
    }

    /// Runs a call of the engine to its end, even if the caller is cancelled. If a creation is interrupted, the engine
    /// makes a container that nobody knows. If a start or an end is interrupted, the engine may count the container on
    /// its network for ever, and the network cannot be removed.
    async fn run_to_completion<T: Send + 'static>(
        &self,
        attempt: &str,
        work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
    ) -> Result<T, EngineError> {
        self.is_begun.store(true, Ordering::Relaxed);
        let working = self.busy.spawn(work);
        finished(attempt, working).await
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let (reaper, engine) = (self.reaper.clone(), self.engine.clone());
        let (busy, creation) = (self.busy.clone(), self.creation.clone());
        let is_begun = self.is_begun.load(Ordering::Relaxed);
        let alive = self.alive.clone();
        let name = std::mem::take(&mut self.name);
        let used = std::mem::take(&mut self.used);
        let when_removed = self.when_removed.take();
        tokio::spawn(async move {
            if is_begun {
                busy.close();
                busy.wait().await;
                let removed = if creation.is_uncertain() {
                    reaper.uncertain(|| discard(&engine, &name)).await
                } else {
                    reaper.persistently(|| engine.remove(&name)).await
                };
                let is_removed = removed.is_ok();
                reaper.removed(&container(&name), removed);
                if let Some(done) = when_removed.filter(|_| is_removed) {
                    done();
                }
            }
            drop(used);
            drop(alive);
        });
    }
}

/// The name of a container in the journal and in reports.
fn container(name: &str) -> String {
    format!("container {name}")
}

/// The name of a volume in the journal and in reports.
fn volume(name: &str) -> String {
    format!("volume {name}")
}

/// The outcome of a task with a call of the engine.
async fn finished<T>(
    attempt: &str,
    task: JoinHandle<Result<T, EngineError>>,
) -> Result<T, EngineError> {
    task.await.unwrap_or_else(|error| {
        Err(EngineError {
            kind: EngineErrorKind::Failed,
            attempt: attempt.to_owned(),
            message: error.to_string(),
        })
    })
}

/// How a creation ended, for the removal of its result.
#[derive(Clone, Debug, Default)]
struct Creation(Arc<AtomicBool>);

impl Creation {
    fn ended_with(&self, error: EngineErrorKind) {
        // The engine may have got the request, but the answer was lost.
        let uncertain = error == EngineErrorKind::Unreachable;
        self.0.store(uncertain, Ordering::Relaxed);
    }

    fn is_uncertain(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Removes the container of that name. Returns `false` if there is no such container.
async fn discard(engine: &Engine, name: &str) -> Result<bool, EngineError> {
    match engine.inspect(name).await {
        Ok(_) => engine.remove(name).await.map(|()| true),
        Err(error) if error.kind == EngineErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the same call may succeed soon: the kernel still holds a mount, or the engine restarts.
pub(super) fn passes(error: &EngineError) -> bool {
    matches!(
        error.kind,
        EngineErrorKind::Busy | EngineErrorKind::Unreachable
    )
}

/// Holds another owner's container on a network. Dropping it detaches the container.
pub(super) struct AttachmentGuard {
    reaper: Reaper,
    engine: Engine,
    container: String,
    network: String,
    alive: TaskTrackerToken,
}

impl Reaper {
    /// Attaches another owner's container to a network.
    pub(super) async fn attach(
        &self,
        engine: &Engine,
        container: &str,
        attachment: Attachment,
    ) -> Result<AttachmentGuard, EngineError> {
        let guard = AttachmentGuard {
            reaper: self.clone(),
            engine: engine.clone(),
            container: container.to_owned(),
            network: attachment.network.clone(),
            alive: self.alive.token(),
        };
        // A task of its own: it goes on if the caller is cancelled, and then detaches the container.
        let attaching = tokio::spawn(async move {
            let (engine, container) = (&guard.engine, &guard.container);
            engine.connect(container, &attachment).await?;
            Ok(guard)
        });
        finished("connect the container to the run's network", attaching).await
    }
}

impl Drop for AttachmentGuard {
    fn drop(&mut self) {
        let (reaper, engine) = (self.reaper.clone(), self.engine.clone());
        let alive = self.alive.clone();
        let container = std::mem::take(&mut self.container);
        let network = std::mem::take(&mut self.network);
        tokio::spawn(async move {
            let disconnected = reaper
                .persistently(|| engine.disconnect(&container, &network))
                .await;
            match disconnected {
                // The owner has removed the container.
                Err(error) if error.kind == EngineErrorKind::NotFound => {}
                Err(error) => {
                    report_leftover(
                        &format!("the connection of `{container}` to the run"),
                        &error,
                    );
                }
                Ok(()) => {}
            }
            drop(alive);
        });
    }
}

impl VolumeGuard {
    /// Creates the volume. An existing volume stays as it is.
    pub(super) async fn create(
        self: &Arc<Self>,
        labels: BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let guard = self.clone();
        // A task of its own: it goes on if the caller is cancelled, and nobody removes the volume meanwhile.
        let creating = tokio::spawn(async move {
            let (journal, thing) = (&guard.reaper.journal, volume(&guard.name));
            journal.creating(&thing);
            let created = guard.engine.create_volume(&guard.name, &labels).await;
            if created.is_ok() {
                journal.created(&thing);
            }
            created
        });
        finished("create the volume", creating).await
    }
}

impl Drop for VolumeGuard {
    fn drop(&mut self) {
        let (reaper, engine) = (self.reaper.clone(), self.engine.clone());
        let alive = self.alive.clone();
        let name = std::mem::take(&mut self.name);
        tokio::spawn(async move {
            let removed = reaper.persistently(|| engine.remove_volume(&name)).await;
            reaper.removed(&volume(&name), removed);
            drop(alive);
        });
    }
}

/// Reports something that cannot be removed.
pub(super) fn report_leftover(what: &str, error: &dyn std::fmt::Display) {
    terminal::warn(&format!("cannot remove {what}: {error}"));
}

#[cfg(test)]
mod engine_breaks_off;
#[cfg(test)]
mod tests;
