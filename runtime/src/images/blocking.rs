//! Work that blocks, on a thread of its own.
//!
//! Not on the runtime's pool: a runtime that ends waits for its pool, and a test that was interrupted must not wait
//! for another process's pull, or for a credential helper that asks its user something.

use tokio::sync::oneshot;

/// Runs `work` and returns what it returns. Work whose future was dropped goes on, and its value is dropped.
///
/// # Panics
///
/// Where `work` panics, or where the system starts no thread.
pub(super) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, value) = oneshot::channel();
    std::thread::Builder::new()
        .name("seatrial-images".to_owned())
        .spawn(move || {
            // Nobody wants the value any more: a dropped future.
            let _ = done.send(work());
        })
        .expect("the system starts a thread");
    value.await.expect("the work does not panic")
}
