//! Work that blocks, on a thread of its own.
//!
//! It must never use the runtime's pool: a runtime waits for its pool when it ends, and an interrupted test must not wait for
//! another process's pull, or for a credential helper that asks its user something.

use tokio::sync::oneshot;

/// Runs `work` and returns its value. If the future is dropped, the work goes on, and its value is dropped.
///
/// # Panics
///
/// `work` panics, or the system cannot start a thread.
pub(super) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, value) = oneshot::channel();
    std::thread::Builder::new()
        .name("seatrial-images".to_owned())
        .spawn(move || {
            // Sending fails if the future was dropped; then nobody needs the value.
            let _ = done.send(work());
        })
        .expect("the system starts a thread");
    value.await.expect("the work does not panic")
}
