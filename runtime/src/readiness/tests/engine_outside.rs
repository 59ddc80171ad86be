//! Probe containers and the user's own functions.

use super::*;

fn probe(command: &[&str]) -> PreparedCheck {
    PreparedCheck::Probe {
        image: IMAGE.parse().expect("an image"),
        command: command.iter().map(|&word| word.to_owned()).collect(),
    }
}

fn hook() -> PreparedCheck {
    PreparedCheck::Hook {
        binding: 7,
        name: "shop::is_up".to_owned(),
    }
}

#[tokio::test]
async fn a_probe_container_is_run_until_it_succeeds() {
    let script = "sleep 1; my $s = listening(7000); sleep 600";
    let service = Fixture::start(perl(script), &[7000]).await;
    let connect = format!("exec 3<>/dev/tcp/{}/7000", service.address);
    let check = probe(&["bash", "-c", &connect]);
    service.wait(&[check]).await.expect("ready");
    let ready = now();
    assert!(ready >= service.listened().await);
}

#[tokio::test]
async fn a_probe_that_fails_or_cannot_run_is_told() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    let fails = probe(&["/bin/sh", "-c", "echo no answer; exit 2"]);
    let cannot = probe(&["no-such-command"]);
    let error = ended(
        service.wait_for(&[fails, cannot], &within(5)).await,
        NotReadyReason::TimedOut,
    );
    let expected = format!("probe `echo no answer; exit 2` in {IMAGE}: exit code 2: no answer");
    assert!(error.waiting_for[0].starts_with(&expected), "{error}");
    assert!(error.waiting_for[1].contains("no-such-command"), "{error}");
}

#[tokio::test]
async fn a_hook_is_called_until_it_succeeds() {
    let mut service = Fixture::start(perl("sleep 600"), &[]).await;
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    service.hooks = Box::new(move || match counted.fetch_add(1, Ordering::SeqCst) {
        0..3 => Err("not yet".to_owned()),
        _ => Ok(()),
    });
    service.wait(&[hook()]).await.expect("ready");
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_hook_that_fails_is_told_with_its_error() {
    let mut service = Fixture::start(perl("sleep 600"), &[]).await;
    service.hooks = Box::new(|| Err("no such table: orders".to_owned()));
    let error = ended(
        service.wait_for(&[hook()], &within(1)).await,
        NotReadyReason::TimedOut,
    );
    assert_eq!(error.waiting_for, ["`shop::is_up`: no such table: orders"]);
}

#[tokio::test]
async fn successes_must_come_in_a_row() {
    let mut service = Fixture::start(perl("sleep 600"), &[]).await;
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    // Two successes, a failure, then successes only.
    service.hooks = Box::new(move || match counted.fetch_add(1, Ordering::SeqCst) {
        2 => Err("it flaps".to_owned()),
        _ => Ok(()),
    });
    let timing = PreparedTiming {
        successes: 3,
        ..within(60)
    };
    service.wait_for(&[hook()], &timing).await.expect("ready");
    assert_eq!(calls.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn too_many_failures_in_a_row_end_the_wait() {
    let mut service = Fixture::start(perl("sleep 600"), &[]).await;
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    service.hooks = Box::new(move || match counted.fetch_add(1, Ordering::SeqCst) {
        2 => Ok(()),
        _ => Err("refused".to_owned()),
    });
    let timing = PreparedTiming {
        interval: Some(Duration::from_millis(20)),
        successes: 2,
        failures: Some(3),
        ..within(60)
    };
    let checks = [hook(), log("never said", 1)];
    let error = ended(
        service.wait_for(&checks, &timing).await,
        NotReadyReason::FailedTooOften,
    );
    assert_eq!(
        error.waiting_for,
        ["`shop::is_up`: refused"],
        "only the one to blame"
    );
    assert_eq!(error.attempts, 6, "two failures, a success, three failures");
}
