//! The timing of attempts: how long to pause before the next one, and when enough of them had the same result.
//!
//! Must not know what is attempted, and must not read a clock.

use std::time::Duration;

use tokio::time::Instant;

use super::timing::PreparedTiming;

/// The pauses between the attempts of one check.
///
/// A pause grows with the time that the service has taken so far, so the delay until it is noticed is a small part of
/// the time that it took. It also grows with the cost of an attempt, so attempts do not slow a slow service down. An
/// interval from the user replaces all of that.
#[derive(Debug)]
pub(super) struct Pace {
    limits: Limits,
    interval: Option<Duration>,
}

/// How the pauses grow.
#[derive(Clone, Copy, Debug)]
struct Limits {
    shortest: Duration,
    longest: Duration,
    /// In thousandths of the time since the first attempt.
    of_elapsed: u32,
    /// In percent of the time that the last attempt took.
    of_cost: u32,
}

impl Pace {
    /// An interval of zero would keep a core busy.
    const SHORTEST: Duration = Duration::from_millis(1);

    /// For attempts that the service does not notice: it does not listen yet, and the kernel refuses the connection within
    /// some ten microseconds.
    const UNNOTICED: Limits = Limits {
        shortest: Duration::from_millis(2),
        longest: Duration::from_millis(50),
        of_elapsed: 5,
        of_cost: 100,
    };

    /// For requests that the service or the engine answers. A service may log each of them.
    const ANSWERED: Limits = Limits {
        shortest: Duration::from_millis(5),
        longest: Duration::from_millis(100),
        of_elapsed: 10,
        of_cost: 200,
    };

    /// For functions of the user, who may see each call.
    const CALLS: Limits = Limits {
        shortest: Duration::from_millis(5),
        longest: Duration::from_millis(100),
        of_elapsed: 200,
        of_cost: 100,
    };

    /// For attempts that start a process in a container, which takes an engine about 100 milliseconds.
    const PROCESSES: Limits = Limits {
        shortest: Duration::from_millis(5),
        longest: Duration::from_millis(500),
        of_elapsed: 50,
        of_cost: 50,
    };

    pub(super) fn requests(interval: Option<Duration>) -> Self {
        Self::new(Self::ANSWERED, interval)
    }

    pub(super) fn calls(interval: Option<Duration>) -> Self {
        Self::new(Self::CALLS, interval)
    }

    pub(super) fn processes(interval: Option<Duration>) -> Self {
        Self::new(Self::PROCESSES, interval)
    }

    fn new(limits: Limits, interval: Option<Duration>) -> Self {
        Self { limits, interval }
    }

    /// The pause before the next attempt. `elapsed` is the time since the first attempt began, `cost` what the last one
    /// took, and `unserved` whether nobody listened to it.
    pub(super) fn pause(&self, elapsed: Duration, cost: Duration, unserved: bool) -> Duration {
        if let Some(interval) = self.interval {
            return interval.max(Self::SHORTEST);
        }
        let limits = if unserved {
            Self::UNNOTICED
        } else {
            self.limits
        };
        let of_elapsed = elapsed * limits.of_elapsed / 1000;
        let of_cost = cost * limits.of_cost / 100;
        of_elapsed
            .max(of_cost)
            .clamp(limits.shortest, limits.longest)
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

    /// The pause in milliseconds after so many milliseconds, for an attempt that took no time.
    fn after(pace: &Pace, unserved: bool, elapsed: u64) -> u128 {
        let elapsed = Duration::from_millis(elapsed);
        pace.pause(elapsed, Duration::ZERO, unserved).as_millis()
    }

    #[test]
    fn pauses_grow_with_the_time_that_has_passed_up_to_a_limit() {
        let elapsed = [0, 100, 1_000, 3_000, 60_000];
        let pauses = |pace: Pace, unserved| elapsed.map(|elapsed| after(&pace, unserved, elapsed));
        assert_eq!(pauses(Pace::requests(None), true), [2, 2, 5, 15, 50]);
        assert_eq!(pauses(Pace::requests(None), false), [5, 5, 10, 30, 100]);
        assert_eq!(pauses(Pace::calls(None), false), [5, 20, 100, 100, 100]);
        assert_eq!(pauses(Pace::processes(None), false), [5, 5, 50, 150, 500]);
    }

    #[test]
    fn pauses_grow_with_the_cost_of_an_attempt_up_to_a_limit() {
        let pause = |pace: Pace, cost| {
            let cost = Duration::from_millis(cost);
            pace.pause(Duration::ZERO, cost, false).as_millis()
        };
        assert_eq!(pause(Pace::requests(None), 20), 40);
        assert_eq!(pause(Pace::requests(None), 2_000), 100);
        assert_eq!(pause(Pace::processes(None), 120), 60);
        assert_eq!(pause(Pace::processes(None), 5_000), 500);
    }

    #[test]
    fn an_interval_of_the_users_is_kept_and_never_zero() {
        let second = Pace::requests(Some(Duration::from_secs(1)));
        assert_eq!([0, 50_000].map(|it| after(&second, true, it)), [1000, 1000]);
        let zero = Pace::processes(Some(Duration::ZERO));
        assert_eq!(after(&zero, false, 0), 1);
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
