//! The timing of attempts: how long to pause before the next one, and when enough of them had the same result.
//!
//! Must not know what is attempted, and must not read a clock.

use std::time::Duration;

use tokio::time::Instant;

use super::timing::PreparedTiming;

/// The pauses between the attempts of one check.
///
/// Without an interval from the user they begin short and grow with the time that has passed, up to a ceiling that
/// depends on the cost of an attempt. So a service that is nearly ready is noticed within milliseconds, and the
/// attempts do not slow down a slow service.
#[derive(Debug)]
pub(super) struct Pace {
    next: Duration,
    /// In percent of the previous pause.
    growth: u32,
    ceiling: Duration,
    interval: Option<Duration>,
}

impl Pace {
    const FIRST: Duration = Duration::from_millis(5);
    /// An interval of zero would keep a core busy.
    const SHORTEST: Duration = Duration::from_millis(1);

    /// For attempts that the service does not notice: it refuses the connection.
    pub(super) fn connections(interval: Option<Duration>) -> Self {
        Self::growing(200, Duration::from_millis(50), interval)
    }

    /// For attempts that the service, the engine or the user's function answers.
    pub(super) fn requests(interval: Option<Duration>) -> Self {
        Self::growing(200, Duration::from_millis(100), interval)
    }

    /// For attempts that start a process. The engine takes longer for that than the first pauses.
    pub(super) fn processes(interval: Option<Duration>) -> Self {
        Self::growing(150, Duration::from_millis(500), interval)
    }

    fn growing(growth: u32, ceiling: Duration, interval: Option<Duration>) -> Self {
        Self {
            next: Self::FIRST,
            growth,
            ceiling,
            interval,
        }
    }

    /// The pause before the next attempt.
    pub(super) fn pause(&mut self) -> Duration {
        if let Some(interval) = self.interval {
            return interval.max(Self::SHORTEST);
        }
        let pause = self.next;
        self.next = (pause * self.growth / 100).min(self.ceiling);
        pause
    }
}

/// Successes and failures in a row, compared with the numbers of the declaration.
#[derive(Debug)]
pub(super) struct Streaks {
    wanted: u32,
    allowed: Option<u32>,
    apart: Duration,
    successes: u32,
    failures: u32,
    counted: Option<Instant>,
}

impl Streaks {
    /// The minimum time between two failures that count without an interval, so that `failures` is about a number of
    /// seconds. Attempts within milliseconds would use up the number before the service had a chance.
    const APART: Duration = Duration::from_secs(1);

    pub(super) fn new(timing: &PreparedTiming) -> Self {
        Self {
            wanted: timing.successes.max(1),
            allowed: timing.failures,
            apart: match timing.interval {
                Some(_) => Duration::ZERO,
                None => Self::APART,
            },
            successes: 0,
            failures: 0,
            counted: None,
        }
    }

    /// Counts a success. Returns `true` if there are enough in a row.
    pub(super) fn success(&mut self) -> bool {
        self.failures = 0;
        self.counted = None;
        self.successes += 1;
        self.successes >= self.wanted
    }

    /// Counts a failure. Returns `true` if there are too many in a row.
    pub(super) fn failure(&mut self, now: Instant) -> bool {
        self.successes = 0;
        let counts = self
            .counted
            .is_none_or(|before| now.duration_since(before) >= self.apart);
        if counts {
            self.failures = self.failures.saturating_add(1);
            self.counted = Some(now);
        }
        self.allowed
            .is_some_and(|allowed| self.failures >= allowed.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing() -> PreparedTiming {
        PreparedTiming {
            timeout: Duration::from_secs(60),
            interval: None,
            delay: Duration::ZERO,
            successes: 1,
            failures: None,
        }
    }

    fn millis(pace: &mut Pace, count: usize) -> Vec<u128> {
        (0..count).map(|_| pace.pause().as_millis()).collect()
    }

    #[test]
    fn pauses_begin_short_and_grow_up_to_the_ceiling() {
        let expected = [5, 10, 20, 40, 50, 50];
        assert_eq!(millis(&mut Pace::connections(None), 6), expected);
        let expected = [5, 10, 20, 40, 80, 100, 100];
        assert_eq!(millis(&mut Pace::requests(None), 7), expected);
        let expected = [5, 7, 11, 16, 25, 37, 56, 85, 128, 192, 288, 432, 500, 500];
        assert_eq!(millis(&mut Pace::processes(None), 14), expected);
    }

    #[test]
    fn an_interval_of_the_users_is_kept_and_never_zero() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(millis(&mut Pace::requests(second), 3), [1000, 1000, 1000]);
        let zero = Some(Duration::ZERO);
        assert_eq!(millis(&mut Pace::processes(zero), 2), [1, 1]);
    }

    #[test]
    fn successes_must_be_in_a_row() {
        let mut streaks = Streaks::new(&PreparedTiming {
            successes: 3,
            ..timing()
        });
        let now = Instant::now();
        assert!(!streaks.success());
        assert!(!streaks.success());
        assert!(!streaks.failure(now));
        assert!(!streaks.success());
        assert!(!streaks.success());
        assert!(streaks.success());
    }

    #[test]
    fn no_number_of_failures_is_too_many_unless_one_is_given() {
        let mut streaks = Streaks::new(&timing());
        let now = Instant::now();
        assert!((0..1000).all(|second| !streaks.failure(now + Duration::from_secs(second))));
    }

    #[test]
    fn with_an_interval_every_failure_counts_and_a_success_starts_again() {
        let mut streaks = Streaks::new(&PreparedTiming {
            interval: Some(Duration::from_millis(1)),
            successes: 9,
            failures: Some(2),
            ..timing()
        });
        let now = Instant::now();
        assert!(!streaks.failure(now));
        assert!(!streaks.success());
        assert!(!streaks.failure(now));
        assert!(streaks.failure(now));
    }

    #[test]
    fn without_an_interval_failures_less_than_a_second_apart_count_as_one() {
        let mut streaks = Streaks::new(&PreparedTiming {
            failures: Some(2),
            ..timing()
        });
        let now = Instant::now();
        assert!(!streaks.failure(now));
        assert!(!streaks.failure(now + Duration::from_millis(999)));
        assert!(streaks.failure(now + Duration::from_millis(1000)));
    }
}
