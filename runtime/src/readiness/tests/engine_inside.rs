//! The log, commands in the container, and the image's health check.

use super::service::{Fixture, perl};
use super::*;

#[tokio::test]
async fn log_lines_are_found_though_their_frames_split_them() {
    let script = r#"
        for my $out (*STDOUT, *STDERR) {
            for my $part ("not it\nserver is rea", "dy for", " connections\n") {
                syswrite $out, $part; sleep 0.05;
            }
        }
        gate; print "server is ready for connections\n"; sleep 600
    "#;
    let service = Fixture::start(perl(script), &[]).await;
    let text = "is ready for connections";
    service.wait(&[log(text, 1)]).await.expect("once");
    service.wait(&[log(text, 2)]).await.expect("twice, on both");
    let third = [log(text, 3)];
    let third = service.wait(&third);
    let (third, ()) = tokio::join!(third, service.open_gate());
    third.expect("a third time, behind the gate");
}

#[tokio::test]
async fn the_log_does_not_hold_before_the_last_line_is_written() {
    let script = r#"
        print "ready\nrea"; print STDERR "half a line\n"; gate;
        print "dy\n"; sleep 600
    "#;
    let service = Fixture::start(perl(script), &[]).await;
    let checks = [log("ready", 2)];
    let mut wait = std::pin::pin!(service.wait(&checks));
    tokio::select! {
        biased;
        outcome = &mut wait => panic!("it has not been said twice, and {outcome:?}"),
        _ = service.log_with("half a line") => {}
    }
    let (ready, ()) = tokio::join!(wait, service.open_gate());
    ready.expect("ready");
}

/// The end of the container ends the stream, as a broken connection to the engine would.
#[tokio::test]
async fn a_log_that_breaks_off_is_read_again() {
    let service = Fixture::start(perl(r#"print "up\n"; sleep 600"#), &[]).await;
    let restart = async {
        service.log_with("up").await;
        let engine = service.engine();
        engine.kill(&service.id, None).await.expect("its end");
        engine.wait(&service.id).await.expect("its end");
        engine.start(&service.id).await.expect("a restart");
    };
    let checks = [log("up", 2)];
    let timing = within(300);
    let wait = service.wait_until(&checks, &timing, std::future::pending());
    let (outcome, ()) = tokio::join!(wait, restart);
    outcome.expect("two lines in all");
}

#[tokio::test]
async fn what_was_written_before_a_restart_does_not_make_ready_after_it() {
    let script = r#"
        if (-e "/again") { appears("/asked"); exit }
        open my $f, ">", "/again";
        syswrite STDERR, "ready\n"; print "ready\n";
    "#;
    let mut service = Fixture::start(perl(script), &[]).await;
    service.engine().wait(&service.id).await.expect("its end");
    service.output_before = OutputPosition::now(service.engine(), &service.id)
        .await
        .expect("what it has written");
    assert_eq!(
        service.output_before,
        OutputPosition {
            stdout: 6,
            stderr: 6
        }
    );
    service
        .engine()
        .start(&service.id)
        .await
        .expect("a restart");
    // The container ends once the wait is under way.
    let asks = exec(&["/bin/sh", "-c", "touch /asked; exit 1"]);
    let error = ended(
        service.attempt_once(&[log("ready", 1), asks]).await,
        NotReadyReason::Exited,
    );
    assert!(
        error.waiting_for[0].contains("not seen since its latest start"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_command_is_run_until_it_succeeds() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    let check = exec(&["test", "-e", "/gate"]);
    service.ready_behind_the_gate(check).await;
}

#[tokio::test]
async fn a_command_that_fails_is_reported_with_its_last_line() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    let check = exec(&["/bin/sh", "-c", "echo one; echo two >&2; exit 3"]);
    let error = service.first_failure(&[check]).await;
    let expected = "exec `echo one; echo two >&2; exit 3`: exit code 3: two";
    assert_eq!(error.waiting_for, [expected]);
}

#[tokio::test]
async fn a_command_that_the_image_does_not_have_is_impossible() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    for missing in ["pg_isready", "/no/such/file"] {
        let check = exec(&[missing, "-h", "localhost"]);
        let error = ended(service.wait(&[check]).await, NotReadyReason::Impossible);
        let expected = format!("the image has no command `{missing}`; write a command that it has");
        assert!(said(&error).contains(&expected), "{error:?}");
    }
}

#[tokio::test]
async fn the_images_healthcheck_is_run_at_our_own_pace() {
    for health in [
        &["CMD-SHELL", "test -e /gate || exit 1"][..],
        &["CMD", "test", "-e", "/gate"],
    ] {
        let mut service = Fixture::start(perl("sleep 600"), &[]).await;
        service.health = health.iter().map(|&word| word.to_owned()).collect();
        service.ready_behind_the_gate(CheckKind::Healthcheck).await;
    }
}

#[tokio::test]
async fn an_image_without_healthcheck_is_impossible() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    let error = ended(
        service.wait(&[CheckKind::Healthcheck]).await,
        NotReadyReason::Impossible,
    );
    assert!(
        said(&error).contains("the image has no HEALTHCHECK; write"),
        "{error:?}"
    );
}
