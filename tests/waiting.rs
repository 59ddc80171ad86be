//! Waiting for conditions that nothing tells of.

use std::time::{Duration, Instant};

/// The pace at which they are looked at.
const PACE: Duration = Duration::from_millis(10);

/// Waits so long for a condition.
pub fn comes_about<T>(patience: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        let value = condition();
        if value.is_some() || begun.elapsed() >= patience {
            return value;
        }
        std::thread::sleep(PACE);
    }
}
