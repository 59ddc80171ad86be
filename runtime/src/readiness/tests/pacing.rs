//! When attempts are made, and what is made of what they show. Time stands still in these tests until nothing else is
//! left to do, so that every figure is exact however slow the machine is.

use std::net::TcpListener;
use std::sync::Mutex;

use super::fake::{Script, exits, refusal, running, says, writes};
use super::*;
use crate::engine::fake::unanswered;

/// When something happened, in milliseconds from the beginning.
#[derive(Clone)]
struct Stamps {
    begun: Instant,
    noted: Arc<Mutex<Vec<u128>>>,
}

impl Stamps {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            noted: Arc::default(),
        }
    }

    fn note(&self) {
        let at = self.begun.elapsed().as_millis();
        self.noted.lock().expect("no panic before").push(at);
    }

    fn noted(&self) -> Vec<u128> {
        self.noted.lock().expect("no panic before").clone()
    }
}

/// A function of the user's that fails so many times and then succeeds; and when it was called.
fn succeeds_after(failures: u32) -> (Script, Stamps) {
    let stamps = Stamps::new();
    let noting = stamps.clone();
    let script = Script {
        hook: Box::new(move |call| {
            noting.note();
            says(if call < failures {
                Err("not yet")
            } else {
                Ok(())
            })
        }),
        ..Script::default()
    };
    (script, stamps)
}

#[tokio::test(start_paused = true)]
async fn attempts_begin_at_once_and_become_rarer() {
    let (script, stamps) = succeeds_after(9);
    script.wait(&[hook()], &within(60)).await.expect("ready");
    assert_eq!(stamps.noted(), [0, 5, 10, 15, 20, 25, 30, 36, 44, 53]);
}

#[tokio::test(start_paused = true)]
async fn an_interval_of_the_users_is_between_attempts() {
    let (script, stamps) = succeeds_after(3);
    let timing = PreparedTiming {
        interval: Some(Duration::from_secs(7)),
        ..within(60)
    };
    script.wait(&[hook()], &timing).await.expect("ready");
    assert_eq!(stamps.noted(), [0, 7_000, 14_000, 21_000]);
}

#[tokio::test(start_paused = true)]
async fn an_interval_begins_when_the_attempt_has_ended() {
    let stamps = Stamps::new();
    let noting = stamps.clone();
    let script = Script {
        hook: Box::new(move |call| {
            noting.note();
            Box::pin(async move {
                sleep(Duration::from_secs(3)).await;
                match call {
                    0..2 => Err(HookFailure::Failed("not yet".to_owned())),
                    _ => Ok(()),
                }
            })
        }),
        ..Script::default()
    };
    let timing = PreparedTiming {
        interval: Some(Duration::from_secs(2)),
        ..within(60)
    };
    script.wait(&[hook()], &timing).await.expect("ready");
    assert_eq!(stamps.noted(), [0, 5_000, 10_000]);
}

#[tokio::test(start_paused = true)]
async fn the_first_attempt_is_made_after_the_delay() {
    let (script, stamps) = succeeds_after(0);
    let timing = PreparedTiming {
        delay: Duration::from_secs(20),
        ..within(60)
    };
    script.wait(&[hook()], &timing).await.expect("ready");
    assert_eq!(stamps.noted(), [20_000]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_panics_is_not_called_again() {
    let script = Script {
        hook: Box::new(|call| match call {
            0 => says(Err("not yet")),
            1 => Box::pin(async { Err(HookFailure::Panicked("at line 7".to_owned())) }),
            _ => unreachable!("it has panicked"),
        }),
        exec: Box::new(|_, _| exits(1, "no")),
        ..Script::default()
    };
    let checks = [exec(&["false"]), hook()];
    let ended = ended(
        script.wait(&checks, &within(60)).await,
        NotReadyReason::Panicked,
    );
    assert_eq!(ended.waiting_for, ["`shop::is_up`: at line 7"]);
}

#[tokio::test(start_paused = true)]
async fn successes_must_come_in_a_row() {
    let stamps = Stamps::new();
    let noting = stamps.clone();
    let script = Script {
        // Two successes, a failure, then successes only.
        hook: Box::new(move |call| {
            noting.note();
            says(if call == 2 { Err("it flaps") } else { Ok(()) })
        }),
        ..Script::default()
    };
    let timing = PreparedTiming {
        successes: 3,
        ..within(60)
    };
    script.wait(&[hook()], &timing).await.expect("ready");
    assert_eq!(stamps.noted().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn too_many_failures_in_a_row_end_the_wait() {
    let script = Script {
        hook: Box::new(|call| says(if call == 2 { Ok(()) } else { Err("refused") })),
        logs: Box::new(|_| writes(&[])),
        ..Script::default()
    };
    let timing = PreparedTiming {
        interval: Some(Duration::from_millis(20)),
        successes: 2,
        failures: Some(3),
        ..within(60)
    };
    let checks = [log("never said", 1), hook()];
    let error = ended(
        script.wait(&checks, &timing).await,
        NotReadyReason::FailedTooOften,
    );
    assert_eq!(
        error.waiting_for,
        ["`shop::is_up`: refused"],
        "only the one that decided"
    );
    assert_eq!(error.after, Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn without_an_interval_failures_count_once_a_second() {
    let (script, stamps) = succeeds_after(u32::MAX);
    let timing = PreparedTiming {
        failures: Some(3),
        ..within(60)
    };
    let error = ended(
        script.wait(&[hook()], &timing).await,
        NotReadyReason::FailedTooOften,
    );
    // Every tenth of a second: counted at the beginning, then as soon as a second has passed since.
    assert_eq!(error.after, Duration::from_millis(2_086));
    assert_eq!(stamps.noted().last(), Some(&2_086));
}

#[tokio::test(start_paused = true)]
async fn all_checks_must_hold_and_the_last_decides() {
    let begun = Instant::now();
    let from = move |second: u64| begun.elapsed() >= Duration::from_secs(second);
    let script = Script {
        hook: Box::new(move |_| says(if from(1) { Ok(()) } else { Err("no") })),
        exec: Box::new(move |_, _| exits(i64::from(!from(3)), "")),
        logs: Box::new(|_| {
            let line = async {
                sleep(Duration::from_secs(2)).await;
                Ok(crate::engine::Output {
                    stderr: true,
                    bytes: b"ready\n".to_vec(),
                })
            };
            Box::pin(futures_util::stream::once(line))
        }),
        ..Script::default()
    };
    let interval = Some(Duration::from_secs(1));
    let timing = PreparedTiming {
        interval,
        ..within(60)
    };
    let checks = [log("ready", 1), exec(&["true"]), hook()];
    script.wait(&checks, &timing).await.expect("ready");
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_has_held_is_not_looked_at_again() {
    let script = Script {
        exec: Box::new(|_, call| match call {
            0 => exits(0, ""),
            _ => panic!("it has held"),
        }),
        ..succeeds_after(10).0
    };
    let checks = [exec(&["true"]), hook()];
    script.wait(&checks, &within(60)).await.expect("ready");
}

#[tokio::test(start_paused = true)]
async fn a_container_must_be_said_to_run_in_the_end() {
    let begun = Instant::now();
    let script = Script {
        inspect: Box::new(|call| match call {
            0 => Ok(running(false)),
            1 => Err(refusal(EngineErrorKind::Failed, "inspect", "busy")),
            _ => Ok(running(true)),
        }),
        ..Script::default()
    };
    script.wait(&[], &within(60)).await.expect("it runs");
    assert_eq!(begun.elapsed(), Duration::from_millis(10));
}

#[tokio::test]
async fn the_engine_is_not_asked_about_a_container_whose_port_has_just_answered() {
    let served = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = served.local_addr().unwrap().port();
    let script = Script {
        direct: true,
        inspect: Box::new(|_| unanswered("inspect")),
        ..Script::default()
    };
    let outcome = script.wait(&[tcp(port)], &within(60)).await;
    outcome.expect("it answers");
}

#[tokio::test(start_paused = true)]
async fn a_command_is_run_until_it_succeeds_and_may_be_refused_meanwhile() {
    let script = Script {
        exec: Box::new(|command, call| {
            assert_eq!(command, ["pg_isready", "-q"]);
            match call {
                0 => exits(2, "no response\n"),
                1 => Box::pin(async {
                    Err(refusal(EngineErrorKind::Failed, "run the command", "busy"))
                }),
                2 => exits(0, ""),
                _ => panic!("it has succeeded"),
            }
        }),
        ..Script::default()
    };
    let check = exec(&["pg_isready", "-q"]);
    script.wait(&[check], &within(60)).await.expect("ready");
}
