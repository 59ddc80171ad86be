//! What a wait that times out reports. Time stands still in these tests until nothing else is left to do.

use super::fake::{Script, breaks_off, exits, hangs, refusal, running, says, writes};
use super::*;

async fn timed_out(script: Script, checks: &[CheckKind], timing: &PreparedTiming) -> NotReady {
    let error = ended(script.wait(checks, timing).await, NotReadyReason::TimedOut);
    assert_eq!(error.after, timing.timeout);
    error
}

#[tokio::test(start_paused = true)]
async fn each_check_that_does_not_hold_is_named_and_no_other() {
    let script = Script {
        exec: Box::new(|command, _| match command {
            [holds] if holds == "true" => exits(0, ""),
            _ => exits(3, "one\ntwo\n"),
        }),
        logs: Box::new(|_| writes(&["half way\nrea"])),
        hook: Box::new(|_| says(Err("no such table: orders"))),
        ..Script::default()
    };
    let checks = [
        log("half way", 1),
        hook(),
        exec(&["true"]),
        exec(&["/bin/sh", "-c", "echo one; echo two; exit 3"]),
        log("read", 1),
        log("half", 2),
    ];
    let error = timed_out(script, &checks, &within(2)).await;
    assert_eq!(
        error.waiting_for,
        [
            "`shop::is_up`: no such table: orders",
            "exec `echo one; echo two; exit 3`: exit code 3: two",
            "a line with \"read\" in the log: not seen so far; the engine shows a line only once it is complete",
            "2 lines with \"half\" in the log: seen once so far; the engine shows a line only once it is complete",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_delay_is_part_of_the_time() {
    let timing = PreparedTiming {
        delay: Duration::from_secs(5),
        ..within(4)
    };
    let error = timed_out(Script::default(), &[hook()], &timing).await;
    assert_eq!(error.waiting_for, ["`shop::is_up`"]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_reported() {
    let first_hangs = Script {
        exec: Box::new(|_, _| hangs()),
        ..Script::default()
    };
    let check = exec(&["sleep", "300"]);
    let error = timed_out(first_hangs, &[check], &within(2)).await;
    assert_eq!(
        error.waiting_for,
        ["exec `sleep 300`: the attempt has not ended"]
    );

    let second_hangs = Script {
        hook: Box::new(|call| match call {
            0 => says(Err("refused")),
            _ => hangs(),
        }),
        ..Script::default()
    };
    let error = timed_out(second_hangs, &[hook()], &within(2)).await;
    assert_eq!(
        error.waiting_for,
        ["`shop::is_up`: refused; the next attempt has not ended"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_just_began_is_not_reported() {
    let script = Script {
        hook: Box::new(|_| hangs()),
        ..Script::default()
    };
    let timing = PreparedTiming {
        timeout: Duration::from_millis(999),
        ..within(0)
    };
    let error = timed_out(script, &[hook()], &timing).await;
    assert_eq!(error.waiting_for, ["`shop::is_up`"]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_does_not_run_is_reported_though_every_check_holds() {
    let script = Script {
        exec: Box::new(|_, _| exits(0, "")),
        inspect: Box::new(|_| Ok(running(false))),
        ..Script::default()
    };
    let error = timed_out(script, &[exec(&["true"])], &within(2)).await;
    assert_eq!(error.waiting_for, ["the container does not run"]);

    let script = Script {
        inspect: Box::new(|_| {
            Err(refusal(
                EngineErrorKind::Unreachable,
                "inspect the container",
                "connection refused",
            ))
        }),
        ..Script::default()
    };
    let error = timed_out(script, &[], &within(2)).await;
    assert_eq!(
        error.waiting_for,
        ["the container does not run: cannot inspect the container: connection refused"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_or_cannot_run_is_reported() {
    let fails = Script {
        probe: Box::new(|_| Box::pin(exits_as_probe(2, "no answer\n"))),
        ..Script::default()
    };
    let error = timed_out(fails, &[probe(&["curl", "server"])], &within(2)).await;
    let label = format!("probe `curl server` in {IMAGE}: ");
    assert_eq!(
        error.waiting_for,
        [format!("{label}exit code 2: no answer")]
    );

    let cannot = Script {
        probe: Box::new(|_| Box::pin(async { Err("there is no such image".to_owned()) })),
        ..Script::default()
    };
    let error = timed_out(cannot, &[probe(&["curl", "server"])], &within(2)).await;
    assert_eq!(
        error.waiting_for,
        [format!("{label}there is no such image")]
    );
}

async fn exits_as_probe(code: i64, stdout: &str) -> Result<ExecResult, String> {
    Ok(ExecResult {
        code,
        stdout: stdout.as_bytes().to_vec(),
        stderr: Vec::new(),
        ..ExecResult::default()
    })
}

#[tokio::test(start_paused = true)]
async fn a_log_that_nobody_can_read_is_not_waited_for() {
    let unreadable = || {
        let words = "configured logging driver does not support reading";
        let error = refusal(EngineErrorKind::LogUnreadable, "read the logs", words);
        breaks_off(&[], Some(error))
    };
    for (driver, told) in [
        ("syslog", "; the container's log driver is `syslog`"),
        ("", ""),
    ] {
        let script = Script {
            logs: Box::new(move |_| unreadable()),
            inspect: Box::new(move |_| {
                Ok(crate::engine::ContainerInfo {
                    log_driver: driver.to_owned(),
                    ..running(true)
                })
            }),
            ..Script::default()
        };
        let outcome = script.wait(&[log("up", 1)], &within(60)).await;
        assert_eq!(
            ended(outcome, NotReadyReason::Impossible).waiting_for,
            [format!(
                "a line with \"up\" in the log: cannot read the logs: configured logging driver does not support \
                 reading{told}; write another kind of check, such as `ready(tcp)`"
            )]
        );
    }
}

/// A stream that breaks delivers everything again when it is asked for again.
#[tokio::test(start_paused = true)]
async fn a_log_that_breaks_off_is_read_again_and_counted_once() {
    let broken = || {
        let error = refusal(EngineErrorKind::Network, "read the log", "reset");
        breaks_off(&["up\nu"], Some(error))
    };
    let script = || Script {
        logs: Box::new(move |call| match call {
            0 => broken(),
            _ => writes(&["up\nup", "\n"]),
        }),
        ..Script::default()
    };
    script()
        .wait(&[log("up", 2)], &within(60))
        .await
        .expect("two lines in all");
    let error = timed_out(script(), &[log("up", 3)], &within(2)).await;
    assert_eq!(
        error.waiting_for,
        [
            "3 lines with \"up\" in the log: seen 2 times so far; the engine shows a line only once it is complete"
        ]
    );

    let asked = Arc::<AtomicU32>::default();
    let counted = asked.clone();
    let always = Script {
        logs: Box::new(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            broken()
        }),
        ..Script::default()
    };
    let error = timed_out(always, &[log("up", 2)], &within(2)).await;
    assert_eq!(
        error.waiting_for,
        ["2 lines with \"up\" in the log: cannot read the log: reset"]
    );
    assert!(asked.load(Ordering::SeqCst) > 2, "it is read again");
}
