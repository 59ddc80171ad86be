//! Which containers' locks an engine holds for calls of ours: copies, and stops that wait for the container's end.
//! Meanwhile the engine does not answer questions about the container.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of calls under way that hold the lock of each container.
#[derive(Clone, Debug, Default)]
pub(super) struct Locks(Arc<Mutex<HashMap<String, usize>>>);

/// A call under way that holds a container's lock, until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    locks: Locks,
    container: String,
}

impl Locks {
    pub(super) fn hold(&self, container: &str) -> Held {
        *self.counts().entry(container.to_owned()).or_default() += 1;
        Held {
            locks: self.clone(),
            container: container.to_owned(),
        }
    }

    pub(super) fn is_held(&self, container: &str) -> bool {
        self.counts().contains_key(container)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counts = self.locks.counts();
        if let Some(count) = counts.get_mut(&self.container) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.container);
            }
        }
    }
}
