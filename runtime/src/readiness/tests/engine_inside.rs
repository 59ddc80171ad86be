//! The log, commands in the container, and the image's health check.

use super::*;

#[tokio::test]
async fn log_lines_are_found_though_their_frames_split_them() {
    let script = r#"
        for my $out (*STDOUT, *STDERR) {
            for my $part ("not it\nserver is rea", "dy for", " connections\n") {
                syswrite $out, $part; sleep 0.05;
            }
        }
        sleep 600
    "#;
    let service = Fixture::start(perl(script), &[]).await;
    let text = "is ready for connections";
    service.wait(&[log(text, 1)]).await.expect("once");
    service.wait(&[log(text, 2)]).await.expect("twice, on both");
    let error = ended(
        service.wait_for(&[log(text, 3)], &within(1)).await,
        NotReadyReason::TimedOut,
    );
    let expected = "3 lines with \"is ready for connections\" in the log: seen 2 times so far";
    assert_eq!(error.waiting_for, [expected]);
}

#[tokio::test]
async fn the_log_does_not_hold_before_the_last_line_is_written() {
    let script = r#"
        print "ready\n"; sleep 1; print "rea"; sleep 1;
        printf "dy at %.6f\n", time; sleep 600
    "#;
    let service = Fixture::start(perl(script), &[]).await;
    service.wait(&[log("ready", 2)]).await.expect("ready");
    let ready = now();
    let said = service.log_with("ready at ").await;
    let (_, stamp) = said.trim_end().rsplit_once("ready at ").expect("the line");
    assert!(ready >= stamp.parse().expect("a number"));
}

/// An end of the container ends the stream, as a broken connection to the engine would.
#[tokio::test]
async fn a_log_that_breaks_off_is_read_again_and_counted_once() {
    let script = r#"
        print "up\n"; my $again = -e "/again"; open my $f, ">", "/again";
        sleep($again ? 600 : 1);
    "#;
    let service = Fixture::start(perl(script), &[]).await;
    let restart = async {
        service.engine().wait(&service.id).await.expect("its end");
        service
            .engine()
            .start(&service.id)
            .await
            .expect("a restart");
    };
    let never = std::future::pending();
    let checks = [log("up", 2)];
    let timing = within(60);
    let wait = service.wait_until(&checks, &timing, never);
    let (outcome, ()) = tokio::join!(wait, restart);
    outcome.expect("two lines in all");
    let error = ended(
        service.wait_for(&[log("up", 3)], &within(1)).await,
        NotReadyReason::TimedOut,
    );
    assert!(
        error.waiting_for[0].ends_with("seen 2 times so far"),
        "{error}"
    );
}

#[tokio::test]
async fn what_was_written_before_a_restart_does_not_make_ready_after_it() {
    let script = r#"
        exit if -e "/again"; open my $f, ">", "/again";
        syswrite STDERR, "ready\n"; print "ready\n";
    "#;
    let mut service = Fixture::start(perl(script), &[]).await;
    service.engine().wait(&service.id).await.expect("its end");
    service.output_before = OutputPosition::now(service.engine().as_ref(), &service.id)
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
    let error = ended(
        service.wait(&[log("ready", 1)]).await,
        NotReadyReason::Exited,
    );
    assert!(error.waiting_for[0].contains("not seen so far"), "{error}");
}

/// Ready when it has made a file, and says so before.
const MAKES_A_FILE: &str = r#"
    sleep 1; printf "listening at %.6f\n", time; open my $f, ">", "/ready"; sleep 600
"#;

#[tokio::test]
async fn a_command_is_run_until_it_succeeds() {
    let service = Fixture::start(perl(MAKES_A_FILE), &[]).await;
    let check = exec(&["test", "-e", "/ready"]);
    service.wait(&[check]).await.expect("ready");
    let ready = now();
    assert!(ready >= service.listened().await);
}

#[tokio::test]
async fn a_command_that_fails_is_told_with_its_last_line() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    let check = exec(&["/bin/sh", "-c", "echo one; echo two >&2; exit 3"]);
    let error = ended(
        service.wait_for(&[check], &within(2)).await,
        NotReadyReason::TimedOut,
    );
    let expected = "exec `echo one; echo two >&2; exit 3`: exit code 3: two";
    assert_eq!(error.waiting_for, [expected]);
}

#[tokio::test]
async fn a_command_that_the_image_does_not_have_is_impossible() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    for missing in ["pg_isready", "/no/such/file"] {
        let check = exec(&[missing, "-h", "localhost"]);
        let error = ended(service.wait(&[check]).await, NotReadyReason::Impossible);
        let expected = format!("the image has no command `{missing}`; name one it has");
        assert!(error.to_string().contains(&expected), "{error}");
    }
}

#[tokio::test]
async fn the_images_healthcheck_is_run_at_our_own_pace() {
    for health in [
        &["CMD-SHELL", "test -e /ready || exit 1"][..],
        &["CMD", "test", "-e", "/ready"],
    ] {
        let mut service = Fixture::start(perl(MAKES_A_FILE), &[]).await;
        service.health = health.iter().map(|&word| word.to_owned()).collect();
        let check = PreparedCheck::Healthcheck;
        service.wait(&[check]).await.expect("healthy");
        let ready = now();
        assert!(ready >= service.listened().await);
    }
}

#[tokio::test]
async fn an_image_without_healthcheck_is_impossible() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    let error = ended(
        service.wait(&[PreparedCheck::Healthcheck]).await,
        NotReadyReason::Impossible,
    );
    assert!(
        error
            .to_string()
            .contains("the image has no HEALTHCHECK; write"),
        "{error}"
    );
}
