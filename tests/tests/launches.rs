//! What tests are told of what they launch: where several launches fail, and where a test fails that no `#[seatrial::test]` runs.

use std::panic::catch_unwind;
use std::process::Stdio;
use std::sync::OnceLock;

use seatrial::{Composition, Error, Service};
use seatrial_tests::child::{self, said};

#[derive(Composition)]
struct Shop {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo calm sea; exec sleep infinity"],
        ready(log = "calm sea"),
    )]
    db: Service,
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "cache"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        scope = binary,
    )]
    cache: Service,
}

/// All of it is the test's own.
#[derive(Composition)]
struct Pair {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo port side; exec sleep infinity"],
        ready(log = "port side"),
    )]
    port: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo starboard side; exec sleep infinity"],
        ready(log = "starboard side"),
    )]
    starboard: Service,
}

/// Tests as other macros write them.
mod written_by_others {
    use super::*;

    #[tokio::test]
    #[ignore = "run by the test beside it"]
    async fn passes() -> Result<(), Error> {
        let pair = Pair::launch().await?;
        pair.port.exec(["true"]).await.map(drop)
    }

    #[tokio::test]
    #[ignore = "run by the test beside it"]
    async fn panics() {
        let shop = Shop::launch().await.expect("it runs");
        // A panic that is caught is told of as one that is not: nobody knows by then.
        let _ = catch_unwind(|| panic!("first"));
        assert!(
            shop.db.exec(["false"]).await.expect("it runs").success(),
            "second"
        );
    }

    #[test]
    #[ignore = "run by the test beside it"]
    fn panics_without_a_runtime() {
        let Pair { port, .. } = Pair::launch().wait().expect("it runs");
        panic!("{} holds the other", port.id());
    }

    #[tokio::test]
    #[ignore = "run by the test beside it"]
    async fn panics_in_a_task() {
        let pair = Pair::launch().await.expect("it runs");
        let task = tokio::spawn(async move {
            let _pair = pair;
            std::future::pending::<()>().await;
        });
        // On the test's thread, while the other has the handles.
        tokio::task::yield_now().await;
        assert!(task.is_finished(), "the mast is broken");
    }

    #[test]
    #[should_panic(expected = "as it should")]
    #[ignore = "run by the test beside it"]
    fn panics_as_it_should() {
        let _pair = Pair::launch().wait().expect("it runs");
        panic!("as it should");
    }

    #[tokio::test]
    #[ignore = "run by the test beside it"]
    async fn leaves_its_handles() {
        let id = Pair::launch().await.expect("it runs").port.id().to_owned();
        panic!("{id} does not answer");
    }

    #[tokio::test]
    #[ignore = "run by the test beside it"]
    async fn leaves_what_stays_without_it() {
        let address = Shop::launch().await.expect("it runs").cache.addr();
        panic!("{address} does not answer as it should");
    }

    /// What one test has launched for all.
    static SHARED: OnceLock<Pair> = OnceLock::new();

    mod shared {
        use super::*;

        #[test]
        #[ignore = "run by the test beside it"]
        fn a_launches() {
            SHARED.get_or_init(|| Pair::launch().wait().expect("it runs"));
        }

        #[test]
        #[ignore = "run by the test beside it"]
        fn b_panics() {
            let pair = SHARED.get().expect("the other test has launched it");
            panic!("{} does not answer", pair.starboard.id());
        }
    }

    #[test]
    #[ignore = "run by the test beside it"]
    fn panics_elsewhere() {
        let elsewhere = std::thread::Builder::new().name("a worker".to_owned());
        let elsewhere = elsewhere.spawn(|| {
            let _pair = Pair::launch().wait().expect("it runs");
            panic!("whoever waits for it decides what that means");
        });
        let panicked = elsewhere.expect("a thread").join().is_err();
        assert!(panicked);
    }

    #[seatrial::test]
    #[ignore = "run by the test beside it"]
    async fn panics_under_seatrial(shop: Shop) {
        let pair = Pair::launch().await.expect("it runs");
        let again = Shop::launch().await.expect("it runs");
        assert_eq!(again.cache.id(), shop.cache.id());
        panic!("{} does not answer", pair.port.id());
    }

    #[seatrial::test]
    #[ignore = "run by the test beside it"]
    async fn fails_under_seatrial() -> Result<(), String> {
        let _pair = Pair::launch().await.map_err(|error| error.to_string())?;
        Err("the reason that was given".to_owned())
    }

    #[seatrial::test(timeout = "8s")]
    #[ignore = "run by the test beside it"]
    async fn times_out_under_seatrial() {
        let _pair = Pair::launch().await.expect("it runs");
        std::future::pending::<()>().await;
    }
}

const DB: &str = "seatrial: the last lines of service `db` of `Shop`:\n    | calm sea\n";
const CACHE: &str = "seatrial: the last lines of service `cache` of `Shop`:\n";
const PORT: &str = "seatrial: the last lines of service `port` of `Pair`:\n    | port side\n";
const STARBOARD: &str =
    "seatrial: the last lines of service `starboard` of `Pair`:\n    | starboard side\n";

#[track_caller]
fn assert_says_once(said: &str, parts: &[&str]) {
    for part in parts {
        assert_eq!(said.matches(part).count(), 1, "`{part}` in:\n{said}");
    }
    let logs = parts.iter().filter(|part| part.contains("the last lines"));
    let shown = said.matches("the last lines of service").count();
    assert_eq!(shown, logs.count(), "{said}");
}

#[test]
fn a_test_that_panics_is_told_what_its_services_did() {
    let mut command = child::tests("written_by_others::");
    command.args(["--skip", "shared::", "--test-threads=8"]);
    let verdict = child::run_in_time(command.env("SEATRIAL_REPORT", "1"), |verdict| {
        let not_ready = "the services were not ready when the time for the test was up";
        verdict.stdout.contains(not_ready)
    });
    let report = &verdict.stdout;
    assert!(report.contains("3 passed; 8 failed"), "{verdict:#?}");
    // The test is known by its thread.
    let ready = verdict.stderr.lines();
    let ready = ready.filter(|line| line.starts_with("seatrial: `Pair` is ready after "));
    let named = ready.filter(|line| line.ends_with(", for written_by_others::passes"));
    assert_eq!(named.count(), 1, "{}", verdict.stderr);

    assert_says_once(
        said(report, "written_by_others::panics"),
        &["first\n", "second\n", DB, CACHE],
    );
    for name in [
        "panics_without_a_runtime",
        "panics_in_a_task",
        "times_out_under_seatrial",
    ] {
        let said = said(report, &format!("written_by_others::{name}"));
        assert_says_once(said, &[PORT, STARBOARD]);
        assert!(!said.contains("gone when the test failed"), "{said}");
    }
    // Nothing twice, whoever else shows it.
    let under = said(report, "written_by_others::panics_under_seatrial");
    assert_eq!(under.matches(CACHE).count(), 1, "{under}");
    assert_eq!(under.matches(DB).count(), 2, "two instances: {under}");
    assert_eq!(
        under.matches("the last lines of service").count(),
        5,
        "{under}"
    );
    assert!(!report.contains("of `Pair` was gone"), "{report}");

    // A test that returns has given back what it had, and was not wrong in that.
    assert_says_once(
        said(report, "written_by_others::fails_under_seatrial"),
        &["the reason that was given"],
    );
}

#[test]
fn a_test_that_has_left_its_handles_is_told_so() {
    let verdict = child::run(&mut child::tests("written_by_others::leaves_"));
    let report = &verdict.stdout;
    assert!(report.contains("0 passed; 2 failed"), "{verdict:#?}");
    let said_of = |name| said(report, &format!("written_by_others::{name}"));
    let left = said_of("leaves_its_handles");
    assert_says_once(
        left,
        &[
            "seatrial: the services `port`, `starboard` of `Pair`, launched at tests/tests/launches.rs:",
            ", were gone when the test failed: no handle of that launch was left\n",
            "help: where the test still needs it, hold what `launch()` returns to the test's end: \
             `let launched = Pair::launch().wait()?;`",
            "(with `.await?` in async code)",
        ],
    );
    let left = said_of("leaves_what_stays_without_it");
    assert_says_once(
        left,
        &[
            CACHE,
            "seatrial: the service `db` of `Shop`, launched at tests/tests/launches.rs:",
            ", was gone",
        ],
    );
}

#[test]
fn what_another_test_has_launched_is_told_of_where_it_is_held() {
    let mut command = child::tests("written_by_others::shared::");
    let verdict = child::run(command.arg("--test-threads=1"));
    assert!(
        verdict.stdout.contains("1 passed; 1 failed"),
        "{verdict:#?}"
    );
    assert_says_once(
        said(&verdict.stdout, "written_by_others::shared::b_panics"),
        &[PORT, STARBOARD],
    );
}

#[test]
fn a_test_that_runs_alone_fails_in_order_where_nobody_reads_what_it_says() {
    let mut command = child::test("written_by_others::panics_without_a_runtime");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    command
        .arg("--no-capture")
        .stdout(Stdio::null())
        .stderr(writer);
    let status = command.status().expect("this executable runs again");
    assert_eq!(status.code(), Some(101), "{status}");
}

#[derive(Composition)]
struct Impossible {
    #[service(
        image = "debian:bookworm-slim",
        command = "no-such-server",
        ready(running)
    )]
    server: Service,
}

/// Takes minutes until it listens.
#[derive(Composition)]
struct Slow {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "slow", AFTER = 120),
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(tcp, timeout = "10m")
    )]
    slow: Service,
}

/// Tests of which several launches fail.
mod several {
    use super::*;

    #[seatrial::test]
    #[ignore = "run by the tests beside it"]
    fn fail(
        slow: Slow,
        impossible: Impossible,
        #[composition(scope = test)] again: Impossible,
        pair: Pair,
        #[service(
            image = "debian:bookworm-slim",
            command = "no-such-mast",
            ready(running)
        )]
        mast: Service,
    ) {
        drop((slow, impossible, again, pair, mast));
        unreachable!("it is never called");
    }

    #[seatrial::test(timeout = "5m")]
    #[ignore = "run by the tests beside it"]
    async fn fail_in_time(
        impossible: Impossible,
        slow: Slow,
        #[service(
            image = "debian:bookworm-slim",
            command = "no-such-mast",
            ready(running)
        )]
        mast: Service,
    ) {
        drop((slow, impossible, mast));
        unreachable!("it is never called");
    }

    #[seatrial::test(timeout = "8s")]
    #[should_panic]
    #[ignore = "run by the tests beside it"]
    fn are_out_of_time(
        slow: Slow,
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            ready(log = "done")
        )]
        quiet: Service,
    ) {
        drop((slow, quiet));
    }
}

#[test]
fn all_launches_of_a_test_that_fail_are_told_together() {
    let verdict = child::run(child::tests("several::").arg("--test-threads=8"));
    let report = &verdict.stdout;
    assert!(report.contains("0 passed; 3 failed"), "{verdict:#?}");
    for name in ["fail", "fail_in_time"] {
        let said = said(report, &format!("several::{name}"));
        let mast = format!("service `mast` of `{name}`: cannot start the container");
        for part in [
            "service `server` of `Impossible`: cannot start the container",
            &mast,
            "`Slow`: still being launched when the test failed; it was given up",
        ] {
            assert_eq!(said.matches(part).count(), 1, "`{part}` in:\n{said}");
        }
        assert!(
            !said.contains("Pair") && !said.contains("timed out"),
            "{said}"
        );
    }
    let said = said(report, "several::are_out_of_time");
    for part in [
        "test timed out: `launches::several::are_out_of_time` took longer than 8s: its services were being launched\n",
        "`Slow`: the services were not ready when the time for the test was up\n",
        "`are_out_of_time`: the services were not ready when the time for the test was up\n",
    ] {
        assert_eq!(said.matches(part).count(), 1, "`{part}` in:\n{said}");
    }
}

#[test]
fn what_all_launches_suffer_from_is_told_once() {
    let mut command = child::test("several::fail");
    let verdict = child::run(command.env("SEATRIAL_ENGINE", "unix:///nonexistent/engine.sock"));
    let said = said(&verdict.stdout, "several::fail");
    let heading = "\n`Slow`, `Impossible`, `Pair`, `fail`: the container engine does not answer";
    assert!(said.contains(heading), "{said}");
    assert_eq!(said.matches("no such file").count(), 1, "{said}");
}
