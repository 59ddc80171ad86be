//! What becomes of everything that was created.
//!
//! A [`Guard`] exists before the container does. It is dropped, sooner or later, also when the task that held it is
//! cancelled in the middle of the creation or the start; then the container is removed in the background, once that has
//! come to an end. Nothing waits for that but the end of the run.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::watch;

use super::report_leftover;
use crate::engine::{Attachment, ContainerSpec, Engine, EngineError, EngineErrorKind};

/// Removes what nobody holds any more.
#[derive(Clone, Debug)]
pub(super) struct Reaper {
    /// How much there is that is not removed yet.
    alive: Arc<watch::Sender<usize>>,
    /// The volumes that are held, by name: one guard for each, however many launches share it.
    volumes: Arc<Mutex<HashMap<String, Weak<VolumeGuard>>>>,
}

/// Holds a container, from before its creation. Dropping it removes the container.
pub(super) struct Guard {
    reaper: Reaper,
    engine: Arc<dyn Engine>,
    name: String,
    /// Ends when what the engine was last asked to do is over, however it ended. `None` before the creation.
    busy: Option<watch::Receiver<()>>,
    /// What the container uses: let go when it is removed, not before.
    used: Vec<Box<dyn Send + Sync>>,
}

/// A task that may still create something, until it is dropped.
#[derive(Debug)]
pub(super) struct Presence(Reaper);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.alive.send_modify(|alive| *alive -= 1);
    }
}

/// Holds a volume. Dropping it removes the volume.
#[derive(Debug)]
pub(super) struct VolumeGuard {
    reaper: Reaper,
    engine: Arc<dyn Engine>,
    name: String,
}

impl Reaper {
    pub(super) fn new() -> Self {
        Self {
            alive: Arc::new(watch::Sender::new(0)),
            volumes: Arc::default(),
        }
    }

    /// Counts a task that may still create something.
    pub(super) fn presence(&self) -> Presence {
        self.alive.send_modify(|alive| *alive += 1);
        Presence(self.clone())
    }

    /// A guard for a container that is about to be created under `name`.
    pub(super) fn guard(&self, engine: &Arc<dyn Engine>, name: String) -> Guard {
        self.alive.send_modify(|alive| *alive += 1);
        Guard {
            reaper: self.clone(),
            engine: engine.clone(),
            name,
            busy: None,
            used: Vec::new(),
        }
    }

    /// The guard for the volume `name`, which is about to be created or is there already.
    pub(super) fn volume(&self, engine: &Arc<dyn Engine>, name: String) -> Arc<VolumeGuard> {
        let mut volumes = self.volumes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guard) = volumes.get(&name).and_then(Weak::upgrade) {
            return guard;
        }
        self.alive.send_modify(|alive| *alive += 1);
        let guard = Arc::new(VolumeGuard {
            reaper: self.clone(),
            engine: engine.clone(),
            name: name.clone(),
        });
        volumes.retain(|_, guard| guard.strong_count() > 0);
        volumes.insert(name, Arc::downgrade(&guard));
        guard
    }

    /// Waits until every guard is dropped and what it held is removed.
    pub(super) async fn drained(&self) {
        let mut alive = self.alive.subscribe();
        let _ = alive.wait_for(|alive| *alive == 0).await;
    }
}

impl Guard {
    /// Keeps `thing` until the container is removed.
    pub(super) fn uses(&mut self, thing: impl Send + Sync + 'static) {
        self.used.push(Box::new(thing));
    }

    /// Creates the container and returns its id.
    pub(super) async fn create(&mut self, spec: ContainerSpec) -> Result<String, EngineError> {
        debug_assert_eq!(spec.name, self.name, "the guard removes by this name");
        let engine = self.engine.clone();
        self.whole(
            "create the container",
            async move { engine.create(&spec).await },
        )
        .await
    }

    /// Starts the container.
    pub(super) async fn start(&mut self, id: &str) -> Result<(), EngineError> {
        let (engine, id) = (self.engine.clone(), id.to_owned());
        self.whole(
            "start the container",
            async move { engine.start(&id).await },
        )
        .await
    }

    /// Puts the container back on a network.
    pub(super) async fn connect(
        &mut self,
        id: &str,
        attachment: Attachment,
    ) -> Result<(), EngineError> {
        let (engine, id) = (self.engine.clone(), id.to_owned());
        let connecting = async move { engine.connect(&id, &attachment).await };
        self.whole("connect the container to its network", connecting)
            .await
    }

    /// Has the engine do something to its end, also when the caller is cancelled. An engine that is left in the middle of a
    /// creation makes a container that nobody knows; one that is left in the middle of a start may for ever count the
    /// container on its network, which then cannot be removed.
    async fn whole<T: Send + 'static>(
        &mut self,
        attempt: &str,
        work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (over, busy) = watch::channel(());
        self.busy = Some(busy);
        let working = tokio::spawn(async move {
            let outcome = work.await;
            drop(over);
            outcome
        });
        working.await.unwrap_or_else(|error| {
            Err(EngineError {
                kind: EngineErrorKind::Failed,
                attempt: attempt.to_owned(),
                message: error.to_string(),
            })
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Self {
            reaper,
            engine,
            name,
            busy,
            used,
        } = self;
        let (reaper, engine) = (reaper.clone(), engine.clone());
        let (name, busy) = (std::mem::take(name), busy.take());
        let used = std::mem::take(used);
        tokio::spawn(async move {
            if let Some(mut busy) = busy {
                while busy.changed().await.is_ok() {}
                if let Err(error) = engine.remove(&name).await {
                    report_leftover(&format!("container `{name}`"), &error);
                }
            }
            drop(used);
            reaper.alive.send_modify(|alive| *alive -= 1);
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
        let creating =
            tokio::spawn(async move { guard.engine.create_volume(&guard.name, &labels).await });
        creating.await.unwrap_or_else(|error| {
            Err(EngineError {
                kind: EngineErrorKind::Failed,
                attempt: "create the volume".to_owned(),
                message: error.to_string(),
            })
        })
    }
}

impl Drop for VolumeGuard {
    fn drop(&mut self) {
        let (reaper, engine) = (self.reaper.clone(), self.engine.clone());
        let name = std::mem::take(&mut self.name);
        tokio::spawn(async move {
            if let Err(error) = engine.remove_volume(&name).await {
                report_leftover(&format!("volume `{name}`"), &error);
            }
            reaper.alive.send_modify(|alive| *alive -= 1);
        });
    }
}
