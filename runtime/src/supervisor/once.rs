//! A value that is made once, for all callers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{Error, ErrorKind};

/// A value that is made by a task of its own. A waiting caller may be cancelled, but the task is not, so the value is
/// never forgotten. A failure holds for all callers until it is forgotten.
pub(super) struct Once<T>(Mutex<Option<Made<T>>>);

type Made<T> = watch::Receiver<Option<Result<T, Error>>>;

impl<T: Clone + Send + Sync + 'static> Once<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The value. The first caller makes it with `make`.
    pub(super) async fn get(
        &self,
        make: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let made = self
            .slot()
            .get_or_insert_with(|| {
                let (sender, receiver) = watch::channel(None);
                tokio::spawn(async move {
                    let _ = sender.send(Some(make.await));
                });
                receiver
            })
            .clone();
        outcome(made).await
    }

    /// The value, if anyone has asked for it.
    pub(super) async fn made(&self) -> Option<T> {
        let made = self.slot().clone()?;
        outcome(made).await.ok()
    }

    /// Lets the next caller try again after a failure.
    pub(super) fn forget_failure(&self) {
        self.slot()
            .take_if(|made| matches!(*made.borrow(), Some(Err(_))));
    }

    fn slot(&self) -> MutexGuard<'_, Option<Made<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn outcome<T: Clone>(mut made: Made<T>) -> Result<T, Error> {
    match made.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(outcome)) => outcome.clone(),
        _ => Err(Error::new(
            ErrorKind::Engine,
            "the preparation of the run was aborted",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_holds_until_it_is_forgotten_and_a_success_for_ever() {
        let once = Once::new();
        let failure = Error::new(ErrorKind::Engine, "not today");
        let failed = failure.clone();
        assert_eq!(once.get(async { Err(failed) }).await, Err(failure.clone()));
        assert_eq!(once.get(async { Ok(1) }).await, Err(failure));
        once.forget_failure();
        assert_eq!(once.get(async { Ok(2) }).await, Ok(2));
        once.forget_failure();
        assert_eq!(once.get(async { Ok(3) }).await, Ok(2));
        assert_eq!(once.made().await, Some(2));
    }
}
