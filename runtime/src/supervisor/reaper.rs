//! What becomes of everything that was created.
//!
//! A [`Guard`] exists before the container does. It is dropped, sooner or later, also when the task that held it is
//! cancelled in the middle of the creation or the start; then the container is removed in the background, once that has
//! come to an end. Nothing waits for that but the end of the run. What is there, or may be, is in the journal.

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

/// How long a removal is tried that begins when the time for all of them is over: what others were in use by is gone then.
const REMOVED_WITHIN_AT_LEAST: Duration = Duration::from_secs(2);
/// How long an engine may go on with a creation whose connection has broken.
const CREATED_WITHIN: Duration = Duration::from_secs(5);
/// The engine tells of neither, so it is asked again: soon at first, then less often.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Removes what nobody holds any more.
#[derive(Clone, Debug)]
pub(super) struct Reaper {
    pub(super) journal: Journal,
    /// What is not removed yet, and the tasks that may still create something.
    alive: TaskTracker,
    /// How long removals are tried from the end of the run on that fail for a reason which passes. While the run goes on they
    /// are tried for as long.
    removed_within: Duration,
    /// Since when the run is over.
    over_since: Arc<watch::Sender<Option<Instant>>>,
    /// The volumes that are held, by name: one guard for each, however many launches share it.
    volumes: Arc<Mutex<HashMap<String, Weak<VolumeGuard>>>>,
}

/// Holds a container, from before its creation. Dropping it removes the container.
pub(super) struct Guard {
    reaper: Reaper,
    engine: Engine,
    name: String,
    /// What the engine was asked to do, which goes on to its end.
    busy: TaskTracker,
    /// Whether it was asked for anything yet, so that there may be a container.
    is_begun: AtomicBool,
    creation: Creation,
    /// What the container uses: let go when it is removed, not before.
    used: Vec<Box<dyn Send + Sync>>,
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
            alive: self.alive.token(),
        }
    }

    /// The guard for the volume `name`, which is about to be created or is there already.
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

    /// Waits until every guard is dropped and what it held is removed, or cannot be.
    pub(super) async fn close(&self) {
        self.over_since
            .send_modify(|over| *over = over.or_else(|| Some(Instant::now())));
        self.alive.close();
        self.alive.wait().await;
    }

    /// Waits for the end of the run.
    pub(super) async fn over(&self) {
        let mut over_since = self.over_since.subscribe();
        // The sender is this one's own.
        let _ = over_since.wait_for(Option::is_some).await;
    }

    /// Tries a removal until it succeeds, or fails for a reason that does not pass, or the run is over and the time for it as
    /// well.
    ///
    /// # Errors
    ///
    /// The last attempt's.
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

    /// Removes what may come of a creation whose answer nobody got: looks for it until it was there and is removed, or the
    /// engine has had the time to make it. `removal` says whether there was anything.
    ///
    /// # Errors
    ///
    /// Where it is there and cannot be removed, or the engine does not answer.
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

    /// Whether a removal that has begun then is given up. Not while the run goes on; then all of them have the same time, one
    /// after another or not.
    fn has_taken_too_long(&self, begun: Instant) -> bool {
        let over_since = *self.over_since.borrow();
        over_since.is_some_and(|over| over.elapsed() >= self.removed_within)
            && begun.elapsed() >= REMOVED_WITHIN_AT_LEAST
    }

    /// Notes what became of a removal, and tells people where it failed. Where nobody is there any more to be told, and it is
    /// in the journal, whoever finds that tries again, and tells.
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

    /// Asks the container's process to end, and kills it once that patience is over, or the engine's own.
    pub(super) async fn stop(
        &self,
        id: &str,
        patience: Option<Duration>,
    ) -> Result<(), EngineError> {
        let (engine, id) = (self.engine.clone(), id.to_owned());
        let stopping = async move { engine.stop(&id, patience).await };
        self.run_to_completion("stop the container", stopping).await
    }

    /// Sends the container's process a signal, `SIGKILL` without one.
    pub(super) async fn kill(&self, id: &str, signal: Option<String>) -> Result<(), EngineError> {
        let (engine, id) = (self.engine.clone(), id.to_owned());
        let killing = async move { engine.kill(&id, signal.as_deref()).await };
        self.run_to_completion("kill the container", killing).await
    }

    /// Takes the container off a network.
    pub(super) async fn disconnect(&self, id: &str, network: &str) -> Result<(), EngineError> {
        let (engine, id, network) = (self.engine.clone(), id.to_owned(), network.to_owned());
        let disconnecting = async move { engine.disconnect(&id, &network).await };
        self.run_to_completion("disconnect the container from its network", disconnecting)
            .await
    }

    /// Puts the container back on a network.
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

    /// Has the engine do something to its end, also when the caller is cancelled. An engine that is left in the middle of a
    /// creation makes a container that nobody knows; one that is left in the middle of a start, or of an end, may for ever
    /// count the container on its network, which then cannot be removed.
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
        tokio::spawn(async move {
            if is_begun {
                busy.close();
                busy.wait().await;
                let removed = if creation.is_uncertain() {
                    reaper.uncertain(|| discard(&engine, &name)).await
                } else {
                    reaper.persistently(|| engine.remove(&name)).await
                };
                reaper.removed(&container(&name), removed);
            }
            drop(used);
            drop(alive);
        });
    }
}

/// A container, as the journal and people know it.
fn container(name: &str) -> String {
    format!("container {name}")
}

/// A volume, likewise.
fn volume(name: &str) -> String {
    format!("volume {name}")
}

/// What comes of a task that has the engine do something.
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

/// How a creation ended, for whoever removes what came of it.
#[derive(Clone, Debug, Default)]
struct Creation(Arc<AtomicBool>);

impl Creation {
    fn ended_with(&self, error: EngineErrorKind) {
        // The request may have reached the engine, and the answer did not come back.
        let uncertain = error == EngineErrorKind::Unreachable;
        self.0.store(uncertain, Ordering::Relaxed);
    }

    fn is_uncertain(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Removes the container of that name; `false` where there is none.
async fn discard(engine: &Engine, name: &str) -> Result<bool, EngineError> {
    match engine.inspect(name).await {
        Ok(_) => engine.remove(name).await.map(|()| true),
        Err(error) if error.kind == EngineErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the same call may succeed in a moment: the kernel still holds a mount, or the engine restarts.
pub(super) fn passes(error: &EngineError) -> bool {
    matches!(
        error.kind,
        EngineErrorKind::Busy | EngineErrorKind::Unreachable
    )
}

/// Holds a container that another owns on a network. Dropping it takes the container off.
pub(super) struct AttachmentGuard {
    reaper: Reaper,
    engine: Engine,
    container: String,
    network: String,
    alive: TaskTrackerToken,
}

impl Reaper {
    /// Puts a container that another owns on a network.
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
        // A task of its own: it goes on when the caller is cancelled, and takes the container off then.
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
                // Its owner has removed it.
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
    /// Creates the volume; one that is there already stays as it is.
    pub(super) async fn create(
        self: &Arc<Self>,
        labels: BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let guard = self.clone();
        // A task of its own: it goes on when the caller is cancelled, and so long nobody removes the volume.
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

/// Tells people of something that could not be removed.
pub(super) fn report_leftover(what: &str, error: &dyn std::fmt::Display) {
    terminal::warn(&format!("{what} could not be removed: {error}"));
}

#[cfg(test)]
mod engine_breaks_off;
#[cfg(test)]
mod tests;
