//! //! What the reaper does if a removal fails, or if the outcome of a creation is unknown.

use std::sync::atomic::AtomicU32;

use super::*;
use crate::engine::ContainerInfo;
use crate::engine::fake::{Answers, Call, answer, refusal};

const REMOVED_WITHIN: Duration = Duration::from_secs(10);

/// An engine whose answers are counted.
#[derive(Default)]
struct Counted {
    /// The answer to a creation.
    creation: Option<EngineErrorKind>,
    /// How often the container is missing before it appears.
    absent: u32,
    /// The error of a removal, and how often it comes.
    removal: Option<(EngineErrorKind, u32)>,
    looks: AtomicU32,
    removals: AtomicU32,
}

impl Answers for Arc<Counted> {
    fn create<'a>(&'a self, _: &'a ContainerSpec) -> Call<'a, String> {
        answer(match self.creation {
            None => Ok("id".to_owned()),
            Some(kind) => Err(refusal(kind, "the creation")),
        })
    }

    fn inspect<'a>(&'a self, _: &'a str) -> Call<'a, ContainerInfo> {
        let before = self.looks.fetch_add(1, Ordering::SeqCst);
        answer(if before < self.absent {
            Err(refusal(EngineErrorKind::NotFound, "the look"))
        } else {
            Ok(ContainerInfo {
                running: false,
                ..ContainerInfo::default()
            })
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> Call<'a, ()> {
        assert_eq!(name, "one");
        let before = self.removals.fetch_add(1, Ordering::SeqCst);
        answer(match self.removal {
            Some((kind, times)) if before < times => Err(refusal(kind, "the removal")),
            _ => Ok(()),
        })
    }
}

impl Counted {
    /// Creates a container and drops its guard. Returns how often it was looked for, and how often its removal was
    /// tried.
    async fn created_and_dropped(self) -> (u32, u32) {
        let counted = Arc::new(self);
        let engine: Engine = Engine::fake(counted.clone());
        let reaper = Reaper::new(Journal::default(), REMOVED_WITHIN);
        let guard = reaper.guard(&engine, "one".to_owned());
        let spec = ContainerSpec {
            name: "one".to_owned(),
            ..ContainerSpec::default()
        };
        let created = guard.create(spec).await;
        assert_eq!(created.err().map(|error| error.kind), counted.creation);
        drop(guard);
        reaper.close().await;
        (
            counted.looks.load(Ordering::SeqCst),
            counted.removals.load(Ordering::SeqCst),
        )
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_created_is_removed_once_and_without_a_look() {
    assert_eq!(Counted::default().created_and_dropped().await, (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_fails_for_a_passing_reason_is_tried_again() {
    for kind in [EngineErrorKind::Busy, EngineErrorKind::Unreachable] {
        let counted = Counted {
            removal: Some((kind, 3)),
            ..Counted::default()
        };
        assert_eq!(counted.created_and_dropped().await, (0, 4), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_given_up_that_fails_for_ever_or_for_good() {
    let begun = Instant::now();
    let counted = Counted {
        removal: Some((EngineErrorKind::Busy, u32::MAX)),
        ..Counted::default()
    };
    let (_, removals) = counted.created_and_dropped().await;
    assert!(removals > 3, "{removals}");
    assert!(begun.elapsed() < REMOVED_WITHIN + LONGEST_PAUSE);
    let counted = Counted {
        removal: Some((EngineErrorKind::Failed, u32::MAX)),
        ..Counted::default()
    };
    assert_eq!(counted.created_and_dropped().await, (0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_may_come_of_a_creation_that_broke_off_is_waited_for_and_removed() {
    let counted = Counted {
        creation: Some(EngineErrorKind::Unreachable),
        absent: 4,
        ..Counted::default()
    };
    assert_eq!(counted.created_and_dropped().await, (5, 1));
    let begun = Instant::now();
    let counted = Counted {
        creation: Some(EngineErrorKind::Unreachable),
        absent: u32::MAX,
        ..Counted::default()
    };
    let (looks, removals) = counted.created_and_dropped().await;
    assert!(looks > 4 && removals == 0, "{looks} {removals}");
    assert!(begun.elapsed() < CREATED_WITHIN + 2 * LONGEST_PAUSE);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_something_else_that_cannot_be_removed_is_not_tried_for_as_long_again() {
    let reaper = Reaper::new(Journal::default(), REMOVED_WITHIN);
    reaper.close().await;
    let fails = || async {
        let outcome: Result<(), _> = Err(refusal(EngineErrorKind::Unreachable, "the removal"));
        outcome
    };
    for longest in [REMOVED_WITHIN, REMOVED_WITHIN_AT_LEAST] {
        let begun = Instant::now();
        reaper.persistently(fails).await.expect_err("it never does");
        let took = begun.elapsed();
        assert!(
            took >= longest && took <= longest + LONGEST_PAUSE,
            "{took:?}"
        );
    }
}
