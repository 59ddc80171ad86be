//! Containers that end during a wait, with a paused clock.

use super::fake::{Script, breaks_off, exits, hangs, refusal, running, says, writes};
use super::*;

/// Waits a second of the paused clock.
async fn a_second() {
    sleep(Duration::from_secs(1)).await;
}

async fn exited(script: Script, checks: &[CheckKind], timing: &PreparedTiming) -> NotReady {
    let outcome = script.wait_until(checks, timing, a_second()).await;
    let error = ended(outcome, NotReadyReason::Exited);
    assert_eq!(error.after, Duration::from_secs(1));
    error
}

#[tokio::test(start_paused = true)]
async fn an_exit_ends_every_kind_of_wait_and_only_the_log_is_quoted() {
    let script = Script {
        exec: Box::new(|_, _| exits(1, "connection refused")),
        logs: Box::new(|_| writes(&["cannot open the book\n"])),
        hook: Box::new(|_| says(Err("connection refused"))),
        probe: Box::new(|_| Box::pin(async { Err("connection refused".to_owned()) })),
        ..Script::default()
    };
    let checks = [log("ready", 1), exec(&["test"]), hook(), probe(&["test"])];
    let error = exited(script, &checks, &within(60)).await;
    assert_eq!(
        error.waiting_for,
        [
            "a line with \"ready\" in the log: not seen so far",
            "exec `test`",
            "`shop::is_up`",
            &format!("probe `test` in {IMAGE}"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_exit_during_an_attempt_ends_the_wait() {
    let script = Script {
        exec: Box::new(|_, _| hangs()),
        hook: Box::new(|_| hangs()),
        ..Script::default()
    };
    let checks = [exec(&["sleep", "300"]), hook()];
    let error = exited(script, &checks, &within(60)).await;
    assert_eq!(error.waiting_for, ["exec `sleep 300`", "`shop::is_up`"]);
}

#[tokio::test(start_paused = true)]
async fn an_exit_during_the_delay_ends_the_wait() {
    let timing = PreparedTiming {
        delay: Duration::from_secs(300),
        ..within(600)
    };
    let error = exited(Script::default(), &[hook()], &timing).await;
    assert_eq!(error.waiting_for, ["`shop::is_up`"]);
}

#[tokio::test(start_paused = true)]
async fn an_exit_counts_before_a_check_that_holds_and_a_time_out_of_the_same_moment() {
    let script = || Script {
        hook: Box::new(|call| says(if call == 0 { Err("no") } else { Ok(()) })),
        ..Script::default()
    };
    let timing = PreparedTiming {
        interval: Some(Duration::from_secs(1)),
        ..within(60)
    };
    exited(script(), &[hook()], &timing).await;
    let timing = PreparedTiming {
        interval: Some(Duration::from_secs(5)),
        ..within(1)
    };
    exited(script(), &[hook()], &timing).await;
}

/// An engine may report the end late although the container no longer counts as running.
#[tokio::test(start_paused = true)]
async fn a_container_that_said_it_is_ready_and_has_ended_is_not_ready() {
    let script = Script {
        logs: Box::new(|_| breaks_off(&["ready\nfor you"], None)),
        inspect: Box::new(|_| Ok(running(false))),
        ..Script::default()
    };
    let checks = [log("ready", 1), log("you", 1)];
    let error = exited(script, &checks, &within(60)).await;
    assert_eq!(error.waiting_for, [""; 0], "all has been said");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_ends_before_the_line_is_quoted_with_its_end() {
    let script = Script {
        logs: Box::new(|_| breaks_off(&["starting\n"], None)),
        ..Script::default()
    };
    let error = exited(script, &[log("ready", 1)], &within(60)).await;
    assert_eq!(
        error.waiting_for,
        ["a line with \"ready\" in the log: not seen so far, and the log has ended"]
    );
}

/// Engines also report missing files while a container ends.
#[tokio::test(start_paused = true)]
async fn a_command_that_is_missing_is_impossible_only_where_the_container_runs() {
    let script = |runs: bool| Script {
        exec: Box::new(|_, _| {
            Box::pin(async {
                Err(refusal(
                    EngineErrorKind::CommandNotFound,
                    "run `pg_isready`",
                    "no such file",
                ))
            })
        }),
        inspect: Box::new(move |_| Ok(running(runs))),
        ..Script::default()
    };
    let checks = [exec(&["pg_isready"])];
    let error = exited(script(false), &checks, &within(60)).await;
    assert_eq!(error.waiting_for, ["exec `pg_isready`"]);
    let outcome = script(true)
        .wait_until(&checks, &within(60), a_second())
        .await;
    let error = ended(outcome, NotReadyReason::Impossible);
    assert_eq!(error.after, Duration::ZERO);
    assert!(
        said(&error).contains("the image has no command"),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn running_is_to_run_for_a_moment() {
    let (checks, timing) = ([CheckKind::Running], within(60));
    let just_before = sleep(RUNS_FOR - Duration::from_millis(1));
    let script = Script::default();
    let outcome = script.wait_until(&checks, &timing, just_before);
    let error = ended(outcome.await, NotReadyReason::Exited);
    assert_eq!(error.waiting_for, ["a process that runs for 200ms"]);

    let begun = Instant::now();
    let ready = Script::default().wait(&checks, &timing);
    ready.await.expect("it runs");
    assert_eq!(begun.elapsed(), RUNS_FOR);

    // The end is not reported yet, but seen.
    let script = Script {
        inspect: Box::new(|_| Ok(running(false))),
        ..Script::default()
    };
    let outcome = script.wait_until(&checks, &timing, a_second());
    ended(outcome.await, NotReadyReason::Exited);
}
