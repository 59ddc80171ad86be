//! The repetition of checks, from a declaration and the configuration.

use std::time::Duration;

use seatrial_model::Timing;

/// The repetition of checks, with defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreparedTiming {
    /// From the beginning of the wait, `delay` included.
    pub(crate) timeout: Duration,
    pub(crate) interval: Option<Duration>,
    pub(crate) delay: Duration,
    pub(crate) successes: u32,
    /// Without an interval, failures less than a second apart count as one.
    pub(crate) failures: Option<u32>,
}

impl PreparedTiming {
    /// Fills in the configured time-out if the declaration has none.
    pub(crate) fn new(timing: &Timing, timeout: Duration) -> Self {
        Self {
            timeout: timing.timeout.unwrap_or(timeout),
            interval: timing.interval,
            delay: timing.delay,
            successes: timing.successes,
            failures: timing.failures,
        }
    }
}
