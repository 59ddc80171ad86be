//! The rules of deadlines with a paused clock, and a real client at sockets that hang.

mod hung;

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::{Instant, sleep};

use super::*;
use crate::engine::fake::{Answers, Call, answer, refusal};
use crate::engine::{ContainerInfo, Engine, ExecResult, ExecSpec, NetworkInfo, Output};

const DEADLINES: Deadlines = Deadlines {
    short: Duration::from_secs(60),
    long: Duration::from_secs(300),
    quiet: Duration::from_secs(30),
};

fn with_deadlines(engine: impl Answers + 'static) -> Engine {
    Engine::fake_within(DEADLINES, engine)
}

#[test]
fn the_deadlines_follow_from_one() {
    assert_eq!(Deadlines::new(Duration::from_secs(60)), DEADLINES);
    let slow = Deadlines::new(Duration::from_secs(120));
    assert_eq!(slow.long, Duration::from_secs(600));
    assert_eq!(slow.quiet, Duration::from_secs(60));
    let fast = Deadlines::new(Duration::from_secs(1));
    assert_eq!(fast.long, Duration::from_secs(300));
}

/// Answers only questions about its own state, and only if told to.
#[derive(Default)]
struct Hanging {
    /// Whether it lists its networks.
    lists: bool,
    /// The container's state in its answers.
    tells: Option<Result<ContainerInfo, EngineErrorKind>>,
}

fn running() -> ContainerInfo {
    ContainerInfo {
        running: true,
        ..ContainerInfo::default()
    }
}

fn after_a_day<'a>() -> Call<'a, i64> {
    Box::pin(async {
        sleep(Duration::from_secs(24 * 60 * 60)).await;
        Ok(7)
    })
}

impl Answers for Hanging {
    fn networks(&self) -> Call<'_, Vec<NetworkInfo>> {
        match self.lists {
            true => answer(Ok(Vec::new())),
            false => Box::pin(pending()),
        }
    }

    fn inspect<'a>(&'a self, _: &'a str) -> Call<'a, ContainerInfo> {
        match self.tells.clone() {
            Some(told) => answer(told.map_err(|kind| refusal(kind, "no such container"))),
            None => Box::pin(pending()),
        }
    }

    fn start<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        Box::pin(pending())
    }

    fn stop<'a>(&'a self, _: &'a str, _: Option<Duration>) -> Call<'a, ()> {
        Box::pin(pending())
    }

    fn remove<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        answer(Ok(()))
    }

    fn logs(&self, _: &str, _: bool, _: Option<usize>) -> Parts<Output> {
        let piece = Output {
            stderr: false,
            bytes: b"up".to_vec(),
        };
        Box::pin(stream::iter([Ok(piece)]).chain(stream::pending()))
    }

    fn wait<'a>(&'a self, _: &'a str) -> Call<'a, i64> {
        after_a_day()
    }

    fn exec<'a>(&'a self, _: &'a str, _: &'a ExecSpec) -> Call<'a, ExecResult> {
        Box::pin(pending())
    }

    fn upload<'a>(&'a self, _: &'a str, _: &'a str, _: Parts<Vec<u8>>) -> Call<'a, ()> {
        Box::pin(async {
            sleep(Duration::from_secs(60 * 60)).await;
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_is_given_up_by_the_kind_of_call() {
    let engine = with_deadlines(Hanging::default());
    let begun = Instant::now();
    let error = engine.inspect("one").await.expect_err("it hangs");
    assert_eq!(begun.elapsed(), DEADLINES.short);
    assert_eq!(error.kind, EngineErrorKind::Unreachable);
    assert_eq!(
        error.to_string(),
        "cannot inspect the container: the engine at unix:///fake.sock has not answered within 60s"
    );

    // What may take long is given up as early where the engine does not answer anything else either.
    let begun = Instant::now();
    let error = engine.start("one").await.expect_err("it hangs");
    assert_eq!(begun.elapsed(), DEADLINES.quiet + DEADLINES.short);
    assert_eq!(
        error.to_string(),
        "cannot start the container: no data for 30s, and the engine at unix:///fake.sock has not answered a request \
         for its networks within 60s"
    );
    assert_eq!(engine.remove("one").await, Ok(()));
    let log: Vec<_> = engine.logs("one", false, None).collect().await;
    assert_eq!(log.len(), 2, "a piece, and that no more came: {log:?}");
    assert!(log[0].is_ok() && log[1].is_err(), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_call_ends_at_its_deadline_though_the_engine_answers() {
    let engine = with_deadlines(Hanging {
        lists: true,
        ..Hanging::default()
    });
    let begun = Instant::now();
    let error = engine.start("one").await.expect_err("it hangs");
    assert_eq!(begun.elapsed(), DEADLINES.long);
    assert!(error.message.ends_with("within 300s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_deadline_ends_if_the_engine_hangs() {
    let engine = with_deadlines(Hanging::default());
    let end = DEADLINES.quiet + DEADLINES.short;
    let begun = Instant::now();
    let error = engine.wait("one").await.expect_err("it hangs");
    assert_eq!(
        (begun.elapsed(), error.kind),
        (end, EngineErrorKind::Unreachable)
    );
    assert_eq!(error.attempt, "wait for the container's end");

    let begun = Instant::now();
    let exec = ExecSpec::default();
    let error = engine.exec("one", &exec).await.expect_err("it hangs");
    assert_eq!(
        (begun.elapsed(), error.kind),
        (end, EngineErrorKind::Unreachable)
    );

    let begun = Instant::now();
    let error = engine.upload("one", "/", Box::pin(stream::empty())).await;
    assert_eq!(begun.elapsed(), end);
    assert!(error.is_err());

    let begun = Instant::now();
    let log: Vec<_> = engine.logs("one", true, None).collect().await;
    assert_eq!(begun.elapsed(), end);
    let [Ok(piece), Err(error)] = log.as_slice() else {
        panic!("a piece, and that no more came: {log:?}");
    };
    assert_eq!(piece.bytes, b"up");
    assert_eq!(error.attempt, "follow the log");
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_deadline_goes_on_while_the_engine_answers() {
    let engine = with_deadlines(Hanging {
        lists: true,
        tells: Some(Ok(running())),
    });
    assert_eq!(engine.wait("one").await, Ok(7));
    // An answer that says nothing good is one.
    let engine = with_deadlines(Hanging {
        lists: true,
        tells: Some(Err(EngineErrorKind::Failed)),
    });
    assert_eq!(engine.wait("one").await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn a_stuck_container_is_distinguished_from_a_stuck_engine() {
    let engine = with_deadlines(Hanging {
        lists: true,
        tells: None,
    });
    let begun = Instant::now();
    let error = engine.wait("one").await.expect_err("it is stuck");
    assert_eq!(begun.elapsed(), DEADLINES.quiet + DEADLINES.long);
    assert_eq!(
        error.to_string(),
        "cannot wait for the container's end: no data for 30s, and the engine at unix:///fake.sock has not answered a \
         request for the container's state within 300s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_gone_is_not_waited_for() {
    let engine = with_deadlines(Hanging {
        lists: true,
        tells: Some(Err(EngineErrorKind::NotFound)),
    });
    let begun = Instant::now();
    let error = engine.wait("one").await.expect_err("it is gone");
    assert_eq!(begun.elapsed(), DEADLINES.quiet);
    assert_eq!(error.kind, EngineErrorKind::NotFound);
    let log: Vec<_> = engine.logs("one", true, None).collect().await;
    let Some(Err(error)) = log.last() else {
        panic!("that it is gone: {log:?}");
    };
    assert_eq!(error.kind, EngineErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_stop_has_its_grace_period_on_top_of_the_deadline_and_its_container_is_not_stuck() {
    let engine = with_deadlines(Hanging {
        lists: true,
        ..Hanging::default()
    });
    let hour = Duration::from_secs(60 * 60);
    for (grace_period, within) in [
        (None, DEADLINES.long),
        (Some(Duration::ZERO), DEADLINES.long),
        (Some(hour), DEADLINES.long + hour),
    ] {
        let begun = Instant::now();
        let error = engine
            .stop("one", grace_period)
            .await
            .expect_err("it hangs");
        assert_eq!(begun.elapsed(), within);
        assert_eq!(error.kind, EngineErrorKind::Unreachable);
    }
    let begun = Instant::now();
    tokio::select! {
        stopped = engine.stop("one", Some(hour)) => drop(stopped.expect_err("it hangs")),
        ended = engine.wait("one") => panic!("after {:?}: {ended:?}", begun.elapsed()),
    }
}

/// Has a container's lock while something is copied into it, so that it tells nothing of the container.
struct Copying {
    hour_is_over: Arc<AtomicBool>,
}

impl Answers for Copying {
    fn networks(&self) -> Call<'_, Vec<NetworkInfo>> {
        answer(Ok(Vec::new()))
    }

    fn inspect<'a>(&'a self, _: &'a str) -> Call<'a, ContainerInfo> {
        Box::pin(async {
            while !self.hour_is_over.load(Ordering::Relaxed) {
                sleep(Duration::from_secs(1)).await;
            }
            Ok(running())
        })
    }

    fn wait<'a>(&'a self, _: &'a str) -> Call<'a, i64> {
        after_a_day()
    }

    fn upload<'a>(&'a self, _: &'a str, _: &'a str, _: Parts<Vec<u8>>) -> Call<'a, ()> {
        Box::pin(async {
            sleep(Duration::from_secs(60 * 60)).await;
            self.hour_is_over.store(true, Ordering::Relaxed);
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_container_is_not_stuck_during_a_copy_of_an_hour() {
    let engine = with_deadlines(Copying {
        hour_is_over: Arc::default(),
    });
    let (ended, copied) = tokio::join!(
        engine.wait("one"),
        engine.upload("one", "/", Box::pin(stream::empty()))
    );
    assert_eq!(copied, Ok(()));
    assert_eq!(ended, Ok(7));
    assert!(!engine.bounded.locks.is_held("one"));
}
