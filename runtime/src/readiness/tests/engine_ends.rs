//! How a wait ends that does not end well, and several checks at once.

use super::*;

/// One check of each kind that a container which does nothing does not meet.
fn unmet() -> [PreparedCheck; 4] {
    [
        tcp(7000),
        http(7000),
        log("ready", 1),
        exec(&["test", "-e", "/ready"]),
    ]
}

#[tokio::test]
async fn a_container_that_exits_at_once_ends_the_wait() {
    let service = Fixture::start(perl("exit 3"), &[7000]).await;
    for check in unmet() {
        ended(service.wait(&[check]).await, NotReadyReason::Exited);
    }
}

#[tokio::test]
async fn a_container_that_exits_while_it_is_waited_for_ends_every_kind_of_wait() {
    for direct in [None, Some(false)] {
        let mut service = Fixture::start(perl("sleep 1; exit 3"), &[7000]).await;
        service.direct = direct;
        let timing = within(300);
        let error = ended(
            service.wait_for(&unmet(), &timing).await,
            NotReadyReason::Exited,
        );
        assert_eq!(error.waiting_for.len(), unmet().len(), "{error}");
        assert!(error.after < timing.timeout);
    }
}

#[tokio::test]
async fn a_container_that_exits_during_a_command_or_the_delay_ends_the_wait() {
    let service = Fixture::start(perl("sleep 1"), &[]).await;
    let sleeps = exec(&["sleep", "300"]);
    ended(service.wait(&[sleeps]).await, NotReadyReason::Exited);

    let service = Fixture::start(perl("sleep 1"), &[]).await;
    let timing = PreparedTiming {
        delay: Duration::from_secs(300),
        ..within(600)
    };
    let error = ended(
        service.wait_for(&[tcp(7000)], &timing).await,
        NotReadyReason::Exited,
    );
    assert_eq!(error.attempts, 0);
    assert_eq!(error.waiting_for, ["tcp on port 7000"]);
}

#[tokio::test]
async fn a_container_that_said_it_is_ready_and_has_ended_is_not_ready() {
    let service = Fixture::start(perl(r#"print "ready\nfor you""#), &[]).await;
    service.engine().wait(&service.id).await.expect("its end");
    for checks in [vec![log("ready", 1)], vec![log("you", 1)], vec![]] {
        let error = ended(service.wait(&checks).await, NotReadyReason::Exited);
        assert!(error.waiting_for.len() <= checks.len(), "{error}");
    }
}

#[tokio::test]
async fn a_wait_that_times_out_names_each_check_that_does_not_hold() {
    let script = r#"print "half way\n"; sleep 600"#;
    let service = Fixture::start(perl(script), &[7000]).await;
    let checks = [
        log("half way", 1),
        tcp(7000),
        exec(&["true"]),
        log("ready", 1),
    ];
    let error = ended(
        service.wait_for(&checks, &within(2)).await,
        NotReadyReason::TimedOut,
    );
    let [port, line] = error.waiting_for.as_slice() else {
        panic!("{error}");
    };
    assert!(port.starts_with("tcp on port 7000: "), "{error}");
    assert_eq!(line, "a line with \"ready\" in the log: not seen so far");
    assert!(
        error.to_string().starts_with("it was not ready within 2"),
        "{error}"
    );
}

#[tokio::test]
async fn an_attempt_that_hangs_is_told() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    let error = ended(
        service
            .wait_for(&[exec(&["sleep", "300"])], &within(2))
            .await,
        NotReadyReason::TimedOut,
    );
    assert_eq!(
        error.waiting_for,
        ["exec `sleep 300`: the attempt has not ended"]
    );
}

#[tokio::test]
async fn all_checks_must_hold_and_the_last_decides() {
    let script = r#"
        open my $f, ">", "/ready"; print "ready\n"; sleep 2; my $s = listening(7000); sleep 600
    "#;
    let mut service = Fixture::start(perl(script), &[7000]).await;
    service.direct = Some(false);
    let [tcp, _, log, exec] = unmet();
    service.wait(&[log, exec, tcp]).await.expect("ready");
    let ready = now();
    assert!(ready >= service.listened().await);
}

#[tokio::test]
async fn a_service_that_is_ready_is_so_at_the_first_attempt() {
    let service = Fixture::start(perl("my $s = listening(7000); sleep 600"), &[7000]).await;
    service.wait(&[tcp(7000)]).await.expect("ready");
    let timing = PreparedTiming {
        interval: Some(Duration::from_secs(600)),
        ..within(300)
    };
    service
        .wait_for(&[tcp(7000)], &timing)
        .await
        .expect("ready again");
}
