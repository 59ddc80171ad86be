//! Real containers that end during a wait, and one that is ready from the beginning.

use super::service::{Fixture, perl};
use super::*;

/// One check of each kind that an idle container does not meet. The command leaves a file, which shows that the wait is
/// under way.
fn unmet() -> [CheckKind; 4] {
    [
        tcp(7000),
        http(7000),
        log("ready", 1),
        exec(&["/bin/sh", "-c", "touch /asked; exit 1"]),
    ]
}

#[tokio::test]
async fn a_container_that_has_ended_ends_every_kind_of_wait() {
    let service = Fixture::start(perl("exit 3"), &[7000]).await;
    service.engine().wait(&service.id).await.expect("its end");
    for check in unmet() {
        ended(service.wait(&[check]).await, NotReadyReason::Exited);
    }
}

#[tokio::test]
async fn a_container_that_exits_while_it_is_waited_for_ends_every_kind_of_wait() {
    let service = Fixture::start(perl(r#"appears("/asked"); exit 3"#), &[7000]).await;
    let error = ended(service.attempt_once(&unmet()).await, NotReadyReason::Exited);
    let unmet: Vec<_> = error.waiting_for.iter().map(String::as_str).collect();
    let [tcp, http, log, exec] = unmet[..] else {
        panic!("{error:?}")
    };
    assert_eq!(tcp, "tcp on port 7000");
    assert_eq!(http, "http GET /health on port 7000");
    assert!(
        log.contains("\"ready\" in the log: not seen so far"),
        "{log}"
    );
    assert_eq!(exec, "exec `touch /asked; exit 1`");
}

#[tokio::test]
async fn a_container_that_exits_while_its_published_port_is_asked_ends_the_wait() {
    let mut service = Fixture::start(perl(r#"appears("/asked"); exit 3"#), &[7000]).await;
    service.direct = Some(false);
    // A failure that cannot come from the engine's proxy: see `Fixture::first_failure`.
    let [_, http, _, exec] = unmet();
    let error = ended(
        service.attempt_once(&[http, exec]).await,
        NotReadyReason::Exited,
    );
    assert_eq!(error.waiting_for[0], "http GET /health on port 7000");
}

#[tokio::test]
async fn a_container_that_exits_during_a_command_ends_the_wait() {
    let service = Fixture::start(perl(r#"appears("/asked")"#), &[]).await;
    let hangs = exec(&["/bin/sh", "-c", "touch /asked; sleep 1000"]);
    let error = ended(service.attempt_once(&[hangs]).await, NotReadyReason::Exited);
    assert_eq!(error.waiting_for, ["exec `touch /asked; sleep 1000`"]);
}

#[tokio::test]
async fn a_container_that_said_it_is_ready_and_has_ended_is_not_ready() {
    let service = Fixture::start(perl(r#"print "ready\nfor you""#), &[]).await;
    service.engine().wait(&service.id).await.expect("its end");
    for checks in [vec![log("ready", 1)], vec![log("you", 1)], vec![]] {
        ended(service.wait(&checks).await, NotReadyReason::Exited);
    }
}

#[tokio::test]
async fn a_service_that_is_ready_is_so_at_the_first_attempt() {
    let service = Fixture::start(perl("my $s = listening(7000); sleep 600"), &[7000]).await;
    service.listens(7000).await;
    let ready = service.attempt_once(&[tcp(7000)]).await;
    ready.expect("ready");
}

#[tokio::test]
async fn all_checks_must_hold() {
    let script =
        r#"open my $f, ">", "/ready"; print "ready\n"; gate; my $s = listening(7000); sleep 600"#;
    let service = Fixture::start(perl(script), &[7000]).await;
    let checks = [log("ready", 1), exec(&["test", "-e", "/ready"])];
    service.log_with("ready").await;
    let error = service.first_failure(&checks).await;
    let [port] = error.waiting_for.as_slice() else {
        panic!("{error:?}")
    };
    assert!(port.starts_with("tcp on port 7000: "), "{error:?}");
    let (ready, ()) = tokio::join!(service.wait(&checks), service.open_gate());
    ready.expect("the last holds as well");
}
