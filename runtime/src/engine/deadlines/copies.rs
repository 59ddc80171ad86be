//! Which containers something is copied into or out of, or are given time to end: so long an engine answers no question
//! about them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many copies of each container are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Copies(Arc<Mutex<HashMap<String, usize>>>);

/// A copy that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Copy {
    copies: Copies,
    container: String,
}

impl Copies {
    pub(super) fn begin(&self, container: &str) -> Copy {
        *self.counts().entry(container.to_owned()).or_default() += 1;
        Copy {
            copies: self.clone(),
            container: container.to_owned(),
        }
    }

    pub(super) fn are_made_of(&self, container: &str) -> bool {
        self.counts().contains_key(container)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let mut counts = self.copies.counts();
        if let Some(count) = counts.get_mut(&self.container) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.container);
            }
        }
    }
}
