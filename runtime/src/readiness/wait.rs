//! The wait: runs all checks at once, and repeats each until it has held often enough.
//!
//! Decides when the wait is over and why. Must not know what an attempt does.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep, timeout};

use super::check::Check;
use super::not_ready::{NotReady, NotReadyReason};
use super::outcome::Outcome;
use super::pace::{Pace, Streaks};
use super::subject::Subject;
use super::timing::PreparedTiming;
use super::watch::Watch;

/// Waits until all of `checks` have held and the container runs. The checks run concurrently. A check that has held is
/// not repeated. The engine is asked whether the container runs unless the check that held last has shown it.
///
/// # Errors
///
/// Returns an error as soon as the container ends (`exited` resolves). Returns an error if the time is up, if a check
/// fails more often in a row than `timing` allows, if a check can never hold, or if it panics.
pub(crate) async fn wait(
    subject: &Subject<'_>,
    checks: Vec<Check>,
    timing: &PreparedTiming,
    exited: impl Future<Output = ()>,
) -> Result<(), NotReady> {
    let started = Instant::now();
    let watches = checks
        .iter()
        .map(|check| Watch::new(check.describe(subject), check.port()));
    let watches: Arc<[Watch]> = watches.collect();
    let watched = watches.clone();
    subject.probes.watched(Box::new(move || {
        let unmet = watched.iter().filter(|watch| !watch.state().met);
        unmet.map(Watch::report_with_advice).collect()
    }));
    let runs = Watch::new("the container does not run".to_owned(), None);
    let all = async {
        sleep(timing.delay).await;
        let each = checks.into_iter().zip(watches.iter());
        let held = each.map(|(check, watch)| hold(check, subject, timing, watch));
        let held = try_join_all(held).await?;
        if !Held::show_that_it_runs(&held) {
            // A container may write that it is ready and end before the engine reports the end.
            hold_running(subject, &runs).await;
        }
        Ok(())
    };
    let reason = tokio::select! {
        biased;
        () = pin!(exited) => NotReadyReason::Exited,
        all = timeout(timing.timeout, all) => match all {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(reason)) => reason,
            Err(_) => NotReadyReason::TimedOut,
        },
    };
    let one_decided = matches!(
        reason,
        NotReadyReason::FailedTooOften | NotReadyReason::Impossible | NotReadyReason::Panicked
    );
    let mut unmet: Vec<&Watch> = watches
        .iter()
        .filter(|watch| match one_decided {
            true => watch.state().decided,
            false => !watch.state().met,
        })
        .collect();
    if unmet.is_empty() && reason == NotReadyReason::TimedOut {
        unmet.push(&runs);
    }
    Err(NotReady {
        reason,
        waiting_for: match reason {
            NotReadyReason::Exited => unmet.iter().map(|watch| watch.report_at_end()).collect(),
            _ => unmet.iter().map(|watch| watch.report()).collect(),
        },
        advice: match reason {
            NotReadyReason::Exited => Vec::new(),
            _ => unmet.iter().filter_map(|watch| watch.advice()).collect(),
        },
        unserved: unmet.iter().filter_map(|watch| watch.unserved()).collect(),
        after: started.elapsed(),
    })
}

/// Waits until a container that was ready before is seen to be ready still. This takes milliseconds: ports are looked
/// up, HTTP and other protocols get a request, and commands, probes, functions and log lines are not checked again.
/// `exited` tells whether the container has ended.
///
/// # Errors
///
/// The same as [`wait`].
pub(crate) async fn wait_again(
    subject: &Subject<'_>,
    checks: Vec<Check>,
    timing: &PreparedTiming,
    exited: impl Future<Output = ()>,
) -> Result<(), NotReady> {
    let quick = checks.into_iter().filter_map(Check::again).collect();
    let timing = PreparedTiming {
        delay: Duration::ZERO,
        successes: 1,
        ..timing.clone()
    };
    wait(subject, quick, &timing, exited).await
}

/// Asks the engine until the container runs.
async fn hold_running(subject: &Subject<'_>, watch: &Watch) {
    let pace = Pace::requests(None);
    let started = Instant::now();
    loop {
        let begun = Instant::now();
        watch.begins();
        match subject.engine.inspect(subject.container).await {
            Ok(info) if info.running => return watch.ends(None),
            Ok(_) => watch.ends(None),
            Err(error) => watch.ends(Some(subject.engine_said(&error).into())),
        }
        sleep(pace.pause(started.elapsed(), begun.elapsed(), false)).await;
    }
}

/// The end of a check's attempts.
struct Held {
    at: Instant,
    /// Whether the last attempt has shown that the container runs.
    runs: bool,
}

impl Held {
    fn now(watch: &Watch, runs: bool) -> Self {
        watch.state().met = true;
        Self {
            at: Instant::now(),
            runs,
        }
    }

    /// Whether the check that held last has shown that the container runs. One that held earlier proves nothing: the
    /// container may have ended since.
    fn show_that_it_runs(all: &[Self]) -> bool {
        let last = all.iter().max_by_key(|held| held.at);
        last.is_some_and(|last| last.runs)
    }
}

/// Repeats one check until it has held often enough.
async fn hold(
    mut check: Check,
    subject: &Subject<'_>,
    timing: &PreparedTiming,
    watch: &Watch,
) -> Result<Held, NotReadyReason> {
    if let Check::Log(lines) = &check {
        return match lines.follow(subject, watch).await {
            Ok(()) => Ok(Held::now(watch, false)),
            Err(said) => {
                watch.sees(said, None);
                watch.state().decided = true;
                Err(NotReadyReason::Impossible)
            }
        };
    }
    let pace = check.pace(timing);
    let mut streaks = Streaks::new(timing);
    let started = Instant::now();
    loop {
        let begun = Instant::now();
        watch.begins();
        let outcome = check.attempt(subject).await;
        let unserved = matches!(outcome, Outcome::Unserved(_));
        watch.state().unserved = unserved;
        match outcome {
            Outcome::Holds | Outcome::HoldsAndRuns => {
                watch.ends(None);
                if streaks.success() {
                    return Ok(Held::now(watch, outcome == Outcome::HoldsAndRuns));
                }
            }
            Outcome::NotYet(remark) | Outcome::Unserved(remark) => {
                watch.ends(Some(remark));
                if streaks.failure(Instant::now()) {
                    watch.state().decided = true;
                    return Err(NotReadyReason::FailedTooOften);
                }
            }
            Outcome::Never(said) => {
                watch.ends(Some(said.into()));
                watch.state().decided = true;
                return Err(NotReadyReason::Impossible);
            }
            Outcome::Panicked(said) => {
                watch.ends(Some(said.into()));
                watch.state().decided = true;
                return Err(NotReadyReason::Panicked);
            }
        }
        sleep(pace.pause(started.elapsed(), begun.elapsed(), unserved)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_check_that_held_last_shows_that_the_container_runs() {
        let begun = Instant::now();
        let held = |after, runs| Held {
            at: begun + Duration::from_millis(after),
            runs,
        };
        let shown = |held: &[Held]| Held::show_that_it_runs(held);
        assert!(shown(&[held(1, false), held(2, true)]));
        assert!(shown(&[held(2, true), held(1, false)]));
        assert!(!shown(&[held(1, true), held(2, false)]));
        assert!(!shown(&[]));
    }
}
