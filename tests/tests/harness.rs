//! What `#[seatrial::test]` makes of functions: ordinary tests, for the test harness and for the user.

use std::io;
use std::process::{Command, ExitCode};

use seatrial::{Composition, Service};
use seatrial_tests::child;
use seatrial_tests::conversation::ask;
use seatrial_tests::events::Events;

/// Takes minutes until it listens.
#[derive(Composition)]
struct Slow {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "slow", AFTER = 120),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    slow: Service,
}

#[derive(Composition)]
struct Quick {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    quick: Service,
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

#[seatrial::test]
fn a_plain_function(Quick { quick }: Quick) {
    assert!(quick.exec(["true"]).wait().expect("it runs").success());
}

#[seatrial::test]
async fn an_async_function(mut composition: Quick) -> Result<(), seatrial::Error> {
    let flavor = tokio::runtime::Handle::current().runtime_flavor();
    assert_eq!(flavor, tokio::runtime::RuntimeFlavor::CurrentThread);
    composition = Quick {
        quick: composition.quick.clone(),
    };
    composition.quick.exec(["true"]).await?;
    Ok(())
}

#[seatrial::test(runtime = "multi_thread")]
async fn an_async_function_on_several_threads() {
    let flavor = tokio::runtime::Handle::current().runtime_flavor();
    assert_eq!(flavor, tokio::runtime::RuntimeFlavor::MultiThread);
    // A runtime with one thread would be blocked for good.
    let (sender, receiver) = std::sync::mpsc::channel();
    tokio::spawn(async move { sender.send(()) });
    receiver.recv().expect("another thread sends");
}

#[seatrial::test]
fn an_exit_code() -> ExitCode {
    ExitCode::SUCCESS
}

#[seatrial::test(timeout = "5m")]
async fn a_function_with_time_enough() -> anyhow::Result<()> {
    tokio::task::yield_now().await;
    Ok(())
}

/// Tests that end in every way. Run by the tests below.
mod fixture {
    use super::*;

    #[seatrial::test]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    fn passes(quick: Quick) -> io::Result<()> {
        drop(quick);
        Ok(())
    }

    #[seatrial::test]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    async fn panics(
        #[service(image = "debian:bookworm-slim", command = ["sh", "-c", "seq 100; exec sleep infinity"], ready(log = "100"))]
        counting: Service,
    ) {
        let _still_there = counting;
        panic!("the assertion that failed");
    }

    #[seatrial::test]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    async fn returns_an_error(quick: Quick) -> anyhow::Result<()> {
        drop(quick);
        anyhow::bail!("the reason that was given")
    }

    #[seatrial::test]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    fn returns_a_failing_code() -> ExitCode {
        ExitCode::from(3)
    }

    #[seatrial::test]
    #[should_panic(expected = "as it should")]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    fn panics_as_it_should(quick: Quick) {
        drop(quick);
        panic!("as it should");
    }

    #[seatrial::test]
    #[should_panic]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    fn does_not_panic_as_it_should(quick: Quick) {
        drop(quick);
    }

    #[seatrial::test]
    #[should_panic]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    fn should_panic_and_cannot_be_launched(impossible: Impossible) {
        drop(impossible);
        panic!("it is never called");
    }

    #[seatrial::test]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    fn cannot_be_launched(impossible: Impossible, quick: Quick) {
        drop((impossible, quick));
        unreachable!("it is never called");
    }

    #[seatrial::test(timeout = "5s")]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    async fn awaits_for_ever(
        #[service(image = "debian:bookworm-slim", command = ["sh", "-c", "echo waiting; exec sleep infinity"], ready(log = "waiting"))]
        server: Service,
    ) {
        let _still_there = server;
        std::future::pending().await
    }

    #[seatrial::test(timeout = "8s")]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    fn launches_for_longer_than_it_may(slow: Slow) {
        drop(slow);
        unreachable!("it is never called");
    }

    #[seatrial::test(timeout = "8s")]
    #[should_panic]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    fn launches_for_too_long_and_should_panic(slow: Slow) {
        drop(slow);
    }

    #[seatrial::test(timeout = "1s")]
    #[ignore = "run by `verdicts_are_the_functions_own`"]
    async fn leaves_something_that_blocks() {
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        tokio::task::spawn_blocking(move || {
            begun.send(()).expect("it is waited for");
            loop {
                std::thread::park();
            }
        });
        has_begun.await.expect("it begins");
    }
}

#[test]
fn verdicts_are_the_functions_own() {
    let verdict = child::run(&mut child::tests("fixture::"));
    let report = &verdict.stdout;
    for (name, outcome) in [
        ("passes", "ok"),
        ("panics", "FAILED"),
        ("returns_an_error", "FAILED"),
        ("returns_a_failing_code", "FAILED"),
        ("panics_as_it_should - should panic", "ok"),
        ("does_not_panic_as_it_should - should panic", "FAILED"),
        (
            "should_panic_and_cannot_be_launched - should panic",
            "FAILED",
        ),
        ("cannot_be_launched", "FAILED"),
        ("awaits_for_ever", "FAILED"),
        ("launches_for_longer_than_it_may", "FAILED"),
        (
            "launches_for_too_long_and_should_panic - should panic",
            "FAILED",
        ),
        ("leaves_something_that_blocks", "FAILED"),
    ] {
        let line = format!("test fixture::{name} ... {outcome}\n");
        assert!(report.contains(&line), "{line} is missing:\n{report}");
    }
    assert!(report.contains("2 passed; 10 failed"), "{report}");

    // What was captured of each, by the harness's own headings.
    let said = |name: &str| {
        let heading = format!("---- fixture::{name} stdout ----\n");
        let (_, rest) = report
            .split_once(&heading)
            .unwrap_or_else(|| panic!("{heading}{report}"));
        rest.split("\n---- ").next().unwrap_or_default()
    };
    let panics = said("panics");
    assert!(panics.contains("the assertion that failed"), "{panics}");
    let expected = "the last lines of service `counting` of `panics`:\n    | 81\n";
    assert!(panics.contains(expected), "{panics}");
    assert!(panics.contains("    | 100\n"), "{panics}");
    assert!(
        said("returns_an_error").contains("the reason that was given"),
        "{report}"
    );
    let cause = "service `server` of `Impossible`: cannot start the container";
    for name in ["should_panic_and_cannot_be_launched", "cannot_be_launched"] {
        assert_eq!(said(name).matches(cause).count(), 1, "{report}");
        assert!(!said(name).contains("never called"), "{report}");
    }
    let timed_out = said("awaits_for_ever");
    let expected =
        "`harness::fixture::awaits_for_ever` took longer than 5s: the function had not returned";
    assert!(timed_out.contains(expected), "{timed_out}");
    assert!(timed_out.contains("    | waiting\n"), "{timed_out}");
    for name in [
        "launches_for_longer_than_it_may",
        "launches_for_too_long_and_should_panic",
    ] {
        let launching = said(name);
        let expected = format!(
            "test timed out: `harness::fixture::{name}` took longer than 8s: its services were being launched\n\
             `Slow`: the services were not ready when the time for the test was up\n  `slow` waited for: tcp on port 4000"
        );
        assert!(launching.contains(&expected), "{launching}");
    }
    let leaves = said("leaves_something_that_blocks");
    let expected = "took longer than 1s: the function had returned, and a task that it had started was still running";
    assert!(leaves.contains(expected), "{leaves}");
}

#[test]
fn names_and_filters_stay_as_usual() {
    let list = |arguments: &[&str]| {
        let this = std::env::current_exe().expect("its path");
        let output = Command::new(this)
            .args(arguments)
            .output()
            .expect("it runs");
        String::from_utf8(output.stdout).expect("names")
    };
    let all = list(&["--list", "--format", "terse"]);
    for name in [
        "a_plain_function",
        "an_async_function",
        "fixture::panics",
        "an_exit_code",
    ] {
        assert!(
            all.lines().any(|line| line == format!("{name}: test")),
            "{name}: {all}"
        );
    }
    let some = list(&[
        "--list",
        "--format",
        "terse",
        "several_threads",
        "exit_code",
    ]);
    assert_eq!(
        some,
        "an_async_function_on_several_threads: test\nan_exit_code: test\n"
    );
}

/// A readiness check that holds as soon as all services have been started that have it.
mod meeting {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use super::Service;

    const ALL: usize = 3;

    static HERE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    pub(super) async fn all_are_here(service: &Service) -> Result<(), String> {
        let mut here = HERE.lock().expect("no panic");
        here.insert(service.id().to_owned());
        match here.len() {
            ALL => Ok(()),
            some => Err(format!("{some} of {ALL} are here")),
        }
    }
}

#[derive(Composition)]
struct Meets {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(with = meeting::all_are_here)
    )]
    first: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(with = meeting::all_are_here)
    )]
    second: Service,
}

#[seatrial::test]
#[ignore = "run by `parameters_are_acquired_concurrently`"]
fn takes_many(
    meets: Meets,
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "other"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(with = meeting::all_are_here)
    )]
    other: Service,
    quick: Quick,
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "asks", OTHER = "{other}"),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    asks: Service,
) {
    let hello = |service: &Service| ask(service.addr(), "hello").expect("an answer");
    assert_eq!(hello(&other), "hello from other");
    assert_eq!(hello(&asks), "hello from asks");
    assert_eq!(
        ask(asks.addr(), "ask other:4000").expect("an answer"),
        "hello from other"
    );
    for service in [&meets.first, &meets.second, &quick.quick] {
        assert!(service.exec(["true"]).wait().expect("it runs").success());
    }
}

#[test]
fn parameters_are_acquired_concurrently() {
    let events = Events::new("many");
    let mut command = child::test("takes_many");
    // None of those that meet would be ready if it had to be so before the next is started.
    let verdict = child::run(command.env("SEATRIAL_EVENTS", events.path()));
    assert!(verdict.passed, "{verdict:#?}");
    assert!(events.place("asks", "starting") > events.place("other", "ready"));
}

#[seatrial::test]
#[ignore = "run by `a_test_without_services_needs_no_engine`"]
fn takes_nothing() {}

#[test]
fn a_test_without_services_needs_no_engine() {
    let mut command = child::test("takes_nothing");
    let verdict = child::run(command.env("SEATRIAL_ENGINE", "unix:///nonexistent/engine.sock"));
    assert!(verdict.passed, "{verdict:#?}");
}

/// What starts a supervisor sets the variable; here nothing else of it is there.
#[test]
#[cfg(target_os = "linux")]
fn an_executable_that_is_started_as_a_supervisor_runs_no_test_and_lists_none() {
    for arguments in [&["--list"][..], &["an_exit_code", "--nocapture"], &[]] {
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        command
            .args(arguments)
            .env("SEATRIAL_SUPERVISE", "/nonexistent");
        let verdict = child::run(&mut command);
        assert!(!verdict.passed, "{verdict:?}");
        assert_eq!(verdict.stdout, "");
        let message = "`SEATRIAL_SUPERVISE` is reserved for Seatrial's own use; unset it";
        assert!(verdict.stderr.contains(message), "{verdict:?}");
    }
}
