//! Tests that have a time-out: their function runs on their own thread all the same, and each ends in the way that is left.

use std::cell::{Cell, RefCell};
use std::panic::catch_unwind;
use std::process::Stdio;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use seatrial::{Composition, ErrorKind, Service};
use seatrial_tests::child::{self, said};

thread_local! {
    /// What a span of `tracing` is, or a subscriber that is set for one thread.
    static SPAN: RefCell<Vec<ThreadId>> = const { RefCell::new(Vec::new()) };
    static SEEN: Cell<usize> = const { Cell::new(0) };
}

/// Entered by what stands around a test, as macros of others do it.
struct Entered;

impl Entered {
    fn new() -> Self {
        SPAN.with_borrow_mut(|span| span.push(thread::current().id()));
        Self
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        SPAN.with_borrow_mut(|span| assert_eq!(span.pop(), Some(thread::current().id())));
    }
}

/// Passes on the thread on which the test's caller has entered the span.
fn assert_in_span() {
    let entered = SPAN.with_borrow(|span| span.last().copied());
    assert_eq!(entered, Some(thread::current().id()));
    SEEN.set(SEEN.get() + 1);
}

mod on_its_thread {
    use super::*;

    #[seatrial::test]
    #[ignore = "run by the test beside it"]
    pub(super) fn plain() {
        assert_in_span();
    }

    #[seatrial::test(timeout = "2m")]
    #[ignore = "run by the test beside it"]
    pub(super) fn plain_in_time() -> Result<(), String> {
        assert_in_span();
        Ok(())
    }

    #[seatrial::test]
    #[ignore = "run by the test beside it"]
    pub(super) async fn asynchronous() {
        tokio::task::yield_now().await;
        assert_in_span();
    }

    #[seatrial::test(timeout = "2m")]
    #[ignore = "run by the test beside it"]
    pub(super) async fn asynchronous_in_time() {
        tokio::task::yield_now().await;
        assert_in_span();
        // On one thread, so do its tasks.
        let task = tokio::spawn(async { assert_in_span() });
        task.await.expect("it does not panic");
    }

    #[seatrial::test(timeout = "2m", runtime = "multi_thread")]
    #[ignore = "run by the test beside it"]
    pub(super) async fn on_several_threads_in_time() {
        tokio::task::yield_now().await;
        assert_in_span();
    }

    #[seatrial::test(timeout = "2m")]
    #[ignore = "run by the test beside it"]
    pub(super) fn with_a_service_in_time(
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            ready(running)
        )]
        service: Service,
    ) {
        assert_in_span();
        service.exec(["true"]).wait().expect("it runs");
    }

    #[seatrial::test(timeout = "1s")]
    #[ignore = "run by the test beside it"]
    pub(super) async fn given_up() {
        struct Held;
        impl Drop for Held {
            fn drop(&mut self) {
                assert_in_span();
            }
        }
        let _held = Held;
        std::future::pending::<()>().await;
    }
}

#[test]
fn the_function_runs_on_the_tests_own_thread() {
    let _entered = Entered::new();
    let name = thread::current().name().map(str::to_owned);
    on_its_thread::plain();
    let _ = on_its_thread::plain_in_time();
    on_its_thread::asynchronous();
    on_its_thread::asynchronous_in_time();
    on_its_thread::on_several_threads_in_time();
    on_its_thread::with_a_service_in_time();
    assert_eq!(SEEN.get(), 7);
    assert_eq!(thread::current().name().map(str::to_owned), name);
}

#[test]
fn what_is_given_up_is_dropped_on_the_tests_own_thread() {
    let _entered = Entered::new();
    let panic = catch_unwind(on_its_thread::given_up).expect_err("its time is over");
    let message = panic.downcast_ref::<String>().expect("a text");
    let expected = "test timed out: `timeouts::on_its_thread::given_up` took longer than 1s: the function had not returned";
    assert_eq!(message, expected);
    assert_eq!(SEEN.get(), 1);
}

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
        command = ["sh", "-c", "echo waiting; exec sleep infinity"],
        ready(log = "waiting"),
    )]
    quick: Service,
}

/// Tests that block until their time is over, in what ends then.
mod waits {
    use super::*;

    /// Uses its service when it is dropped.
    struct Farewell(Service);

    impl Drop for Farewell {
        fn drop(&mut self) {
            let output = self.0.exec(["echo", "farewell"]).wait();
            eprint!("{}", output.expect("the service is still there").stdout);
        }
    }

    #[seatrial::test(timeout = "8s")]
    #[ignore = "run by the test beside it"]
    fn for_a_line(quick: Quick) {
        let _farewell = Farewell(quick.quick.clone());
        quick.quick.wait_log("done").wait().expect("a line");
    }

    #[seatrial::test(timeout = "8s")]
    #[ignore = "run by the test beside it"]
    async fn for_a_line_and_is_given_up(quick: Quick) {
        quick.quick.logs().await.expect("it has been done by then");
        quick.quick.wait_log("done").await.expect("a line");
    }

    #[seatrial::test(timeout = "8s")]
    #[ignore = "run by the test beside it"]
    async fn for_a_command_and_blocks_its_runtime(quick: Quick) -> Result<(), seatrial::Error> {
        let outcome = quick.quick.exec(["sleep", "infinity"]).wait();
        assert_eq!(outcome.as_ref().unwrap_err().kind(), ErrorKind::TimedOut);
        outcome.map(drop)
    }

    #[seatrial::test(timeout = "8s")]
    #[ignore = "run by the test beside it"]
    fn for_lines_on_another_thread(quick: Quick) {
        let lines = quick.quick.log_lines().wait_iter();
        let reading = thread::spawn(move || lines.collect::<Vec<_>>());
        let mut lines = reading.join().expect("it ends").into_iter();
        assert_eq!(
            lines.next().expect("a line").expect("a line").text,
            "waiting"
        );
        let last = lines.next().expect("an item").expect_err("no other line");
        assert!(lines.next().is_none());
        panic!("{last}");
    }

    #[seatrial::test(timeout = "8s")]
    #[ignore = "run by the test beside it"]
    fn for_a_launch() {
        Slow::launch().wait().map(drop).expect("in time");
    }

    #[seatrial::test(timeout = "8s", runtime = "multi_thread")]
    #[ignore = "run by the test beside it"]
    async fn for_a_launch_on_a_thread_of_its_runtime() {
        let launching = tokio::task::spawn_blocking(|| Slow::launch().wait().map(drop));
        // Blocks as well: what it waits for ends.
        let (sender, receiver) = std::sync::mpsc::channel();
        tokio::spawn(async move { sender.send(launching.await) });
        let outcome = receiver
            .recv()
            .expect("it ends")
            .expect("it does not panic");
        outcome.expect("in time");
    }

    #[seatrial::test(timeout = "8s")]
    #[should_panic]
    #[ignore = "run by the test beside it"]
    fn and_should_panic(quick: Quick) {
        quick.quick.wait_log("done").wait().expect("a line");
    }

    #[seatrial::test]
    #[ignore = "run by the test beside it"]
    fn no_longer_than_others(quick: Quick) {
        quick.quick.exec(["true"]).wait().expect("it runs");
    }
}

#[test]
fn what_waits_for_a_service_ends_with_the_time_for_the_test() {
    let waiting = "`slow` waited for: tcp on port 4000";
    let verdict = child::run_in_time(child::tests("waits::").arg("--test-threads=8"), |verdict| {
        let said = &verdict.stdout;
        said.contains("8s: its services were being launched") || said.matches(waiting).count() < 2
    });
    let report = &verdict.stdout;
    assert!(report.contains("1 passed; 7 failed"), "{verdict:#?}");
    let timed_out = |name: &str, how: &str| {
        let said = said(report, &format!("waits::{name}"));
        let expected = format!(
            "test timed out: `timeouts::waits::{name}` took longer than 8s: the function {how}"
        );
        assert_eq!(said.matches(&expected).count(), 1, "{said}");
        said
    };
    for (name, how, call) in [
        ("for_a_line", "panicked after ", "wait_log(\"done\")"),
        (
            "for_a_command_and_blocks_its_runtime",
            "returned after ",
            "exec([\"sleep\", ..])",
        ),
        (
            "for_lines_on_another_thread",
            "panicked after ",
            "log_lines()",
        ),
        ("and_should_panic", "panicked after ", "wait_log(\"done\")"),
    ] {
        let said = timed_out(name, how);
        for part in [
            &*format!(
                "service `quick` of `Quick`: the time for the test was over before `{call}` was done\n  at tests/tests/timeouts.rs:"
            ),
            "help: look at what the test waited for, or raise `timeout = \"8s\"`",
            "seatrial: the last lines of service `quick` of `Quick`:\n    | waiting\n",
        ] {
            assert_eq!(said.matches(part).count(), 1, "`{part}` in:\n{said}");
        }
    }
    let given_up = timed_out("for_a_line_and_is_given_up", "had not returned\n");
    assert_eq!(given_up.matches("it waited for").count(), 1, "{given_up}");
    for part in [
        "\n  it waited for `wait_log(\"done\")` of service `quick` of `Quick`, at tests/tests/timeouts.rs:",
        "\n  help: look at what the test waited for, or raise `timeout = \"8s\"`",
    ] {
        assert!(
            given_up.contains(part),
            "`{part}` is missing in:\n{given_up}"
        );
    }
    for name in ["for_a_launch", "for_a_launch_on_a_thread_of_its_runtime"] {
        let said = timed_out(name, "panicked after ");
        let cause =
            format!("the services were not ready when the time for the test was up\n  {waiting}");
        assert!(said.contains(&cause), "{said}");
    }
    assert!(
        timed_out("for_a_line", "panicked").contains("\nfarewell\n"),
        "{report}"
    );
}

/// Tests that end by themselves, but too late.
mod late {
    use super::*;

    fn be_late() {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(1100) {
            thread::park_timeout(Duration::from_millis(100));
        }
    }

    #[seatrial::test(timeout = "1s")]
    #[ignore = "run by the test beside it"]
    fn returns() {
        be_late();
    }

    #[seatrial::test(timeout = "1s")]
    #[ignore = "run by the test beside it"]
    async fn returns_an_error() -> anyhow::Result<()> {
        be_late();
        anyhow::bail!("the reason that was given")
    }

    #[seatrial::test(timeout = "1s")]
    #[should_panic]
    #[ignore = "run by the test beside it"]
    fn panics_as_it_should() {
        be_late();
        panic!("as it should");
    }
}

#[test]
fn a_test_that_ends_too_late_fails_whatever_it_says() {
    let verdict = child::run(&mut child::tests("late::"));
    let report = &verdict.stdout;
    assert!(report.contains("0 passed; 3 failed"), "{verdict:#?}");
    for (name, how) in [
        ("returns", "returned after "),
        ("returns_an_error", "returned after "),
        ("panics_as_it_should", "panicked after "),
    ] {
        let said = said(report, &format!("late::{name}"));
        let expected = format!(
            "test timed out: `timeouts::late::{name}` took longer than 1s: the function {how}"
        );
        assert_eq!(said.matches(&expected).count(), 1, "{said}");
    }
    assert!(report.contains("the reason that was given"), "{report}");
}

/// Tests that nothing but the end of their process ends.
mod stuck {
    use super::*;

    fn wait_for_the_end() -> ! {
        loop {
            thread::park();
        }
    }

    #[seatrial::test(timeout = "1s")]
    #[ignore = "run by the tests beside it"]
    fn blocks() {
        wait_for_the_end();
    }

    #[test]
    #[ignore = "run by the tests beside it"]
    fn blocks_unfinished() {
        wait_for_the_end();
    }

    #[seatrial::test(timeout = "1s")]
    #[ignore = "run by the tests beside it"]
    async fn drops_for_ever() {
        struct Stuck;
        impl Drop for Stuck {
            fn drop(&mut self) {
                wait_for_the_end();
            }
        }
        let _stuck = Stuck;
        std::future::pending::<()>().await;
    }
}

#[test]
fn a_test_that_blocks_ends_its_process_and_says_whose_end_that_is() {
    let mut both = child::tests("stuck::blocks");
    both.arg("--test-threads=2");
    let cases = [
        (both, "blocks", "the function had not returned"),
        (
            child::test("stuck::drops_for_ever"),
            "drops_for_ever",
            "it was given up, and dropping its values blocks",
        ),
    ];
    let running = cases.map(|(mut command, name, phase)| {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("this executable runs again");
        (child, name, phase)
    });
    for (child, name, phase) in running {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(101), "{output:?}");
        // Past the harness, which is gone before it shows what it has captured.
        let said = String::from_utf8_lossy(&output.stderr);
        for part in [
            &format!("test timed out: `timeouts::stuck::{name}` took longer than 1s: {phase}\n"),
            "so the process ends; the other unfinished tests of this executable end with it",
            "help: use a time-out in the code that blocks, or make the test `async`; `cargo nextest run` gives",
        ] {
            assert_eq!(said.matches(part).count(), 1, "`{part}` in:\n{said}");
        }
    }
}
