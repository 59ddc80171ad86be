//! Services that end by themselves after they were ready: while others are waited for, and later in a test.

use seatrial::{Composition, ErrorKind, Service};
use seatrial_tests::{child, engine};

/// The second is ready when the first has ended, and not before.
#[derive(Composition)]
struct OneAfterTheOther {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo up; until test -e /data/go; do sleep 0.02; done; echo all done; exit 3"],
        volume(data = "/data"),
        ready(log = "up"),
    )]
    first: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "touch /data/go; exec sleep infinity"],
        volume(data = "/data"),
        needs(first),
        ready(with = first_has_ended),
    )]
    second: Service,
}

/// By the engine's own account.
async fn first_has_ended(_: &Service) -> anyhow::Result<()> {
    let first = engine::of_service("OneAfterTheOther", "first");
    anyhow::ensure!(first.len() == 1, "{first:?}");
    anyhow::ensure!(!engine::is_running(&first[0]), "it runs");
    Ok(())
}

#[seatrial::test]
fn one_that_ends_while_others_are_waited_for_fails_the_launch() {
    let launch = OneAfterTheOther::launch().wait();
    let error = launch.map(drop).expect_err("one of them has ended");
    assert_eq!(error.kind(), ErrorKind::Exited, "{error}");
    let text = error.to_string();
    for part in [
        "service `first` of `OneAfterTheOther`: the container exited with code 3",
        "it was ready, and ended ",
        "    | all done",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

mod fixture {
    use super::*;

    async fn end(service: &Service) -> anyhow::Result<()> {
        service.exec(["touch", "/go"]).await?;
        while engine::is_running(service.id()) {
            tokio::task::yield_now().await;
        }
        anyhow::bail!("the query has failed")
    }

    #[seatrial::test]
    #[ignore = "run by the test beside it"]
    async fn exits(
        #[service(
            image = "debian:bookworm-slim",
            command = ["sh", "-c", "until test -e /go; do sleep 0.02; done; echo out of work; exit 5"],
            ready(running),
        )]
        db: Service,
        #[service(image = "redis:7", port = 6379)] cache: Service,
    ) -> anyhow::Result<()> {
        let _runs = cache;
        end(&db).await
    }

    #[seatrial::test]
    #[ignore = "run by the test beside it"]
    async fn eats(
        #[service(
            image = "debian:bookworm-slim",
            memory = "16m",
            command = ["perl", "-e", "until (-e '/go') {{ select undef, undef, undef, 0.02 }} my $size = 1 << 28; my $x = 'x' x $size; sleep"],
            ready(running),
        )]
        db: Service,
    ) -> anyhow::Result<()> {
        end(&db).await
    }
}

#[test]
fn one_that_ends_during_a_test_is_named_where_the_test_fails() {
    let verdict = child::run(&mut child::tests("fixture::"));
    assert!(!verdict.passed);
    let said = verdict.stdout;
    for part in [
        "seatrial: service `db` of `exits` does not run any more: the container exited with code 5, ",
        " ago\nseatrial: the last lines of service `db` of `exits`:\n    | out of work\n",
        "seatrial: service `db` of `eats` does not run any more: the container was killed",
        "more memory than its limit",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
    assert!(!said.contains("`cache` of `exits` does not run"), "{said}");
    assert_eq!(said.matches("the query has failed").count(), 2, "{said}");
}
