//! Jobs: run to their end at a launch or when a test asks for them, their output, their verdict and what they leave behind.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use seatrial::{Composition, ErrorKind, Job, Service};
use seatrial_tests::conversation::ask;
use seatrial_tests::{child, engine, waiting};

#[derive(Composition)]
struct Shop {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "server"),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,

    /// Tells the server that it was there, which the server's log shows.
    #[job(
        image = "debian:bookworm-slim",
        env(HOST = "{server.host}"),
        run = ["bash", "-c", "exec 3<>/dev/tcp/$HOST/4000; echo say migrated >&3; read -u 3 line; echo $line; pwd"],
    )]
    migrate: Job,

    #[service(
        image = "debian:bookworm-slim",
        needs(migrate),
        command = ["sh", "-c", "echo up; exec sleep infinity"],
        ready(log = "up"),
    )]
    app: Service,

    #[job(
        image = "debian:bookworm-slim",
        needs(server, app),
        env(WORD = "swordfish", API_TOKEN = "mackerel"),
        run = "getent hosts server app && cat tests/jobs.rs | head -n 1 && echo $WORD $API_TOKEN >&2"
    )]
    e2e: Job,
}

#[seatrial::test]
async fn what_is_needed_has_ended_and_what_is_not_runs_when_asked_for(
    shop: Shop,
) -> Result<(), seatrial::Error> {
    let log = shop.server.logs().await?;
    assert_eq!(log.matches("migrated").count(), 1, "{log}");
    assert_eq!(shop.e2e.name(), "e2e");
    for _ in 0..2 {
        let output = shop.e2e.run().await?;
        assert!(output.success());
        let lines: Vec<&str> = output.stdout.lines().collect();
        let address = shop.server.network_address().to_string();
        assert!(lines[0].starts_with(&address), "{lines:?}");
        assert!(
            lines[0].ends_with("server") && lines[1].ends_with("app"),
            "{lines:?}"
        );
        assert!(lines[2].starts_with("//! Jobs"), "{lines:?}");
        assert_eq!(output.stderr, "swordfish mackerel\n");
    }
    // The job that was needed may be asked for, too.
    let again = shop.migrate.run().await?;
    assert_eq!(again.stdout, "said\n/workspace/tests\n");
    shop.server.wait_log("migrated").await?;
    assert_eq!(
        ask(shop.server.addr(), "hello").expect("it runs"),
        "hello from server"
    );
    Ok(())
}

#[test]
#[ignore = "run by the test below"]
fn prints_what_its_job_writes() {
    let shop = Shop::launch().wait().expect("it is launched");
    shop.e2e.run().wait().expect("it passes");
}

#[test]
fn the_output_is_that_of_the_test_without_secrets() {
    let verdict = child::run(child::test("prints_what_its_job_writes").arg("--nocapture"));
    assert!(verdict.passed, "{verdict:#?}");
    assert!(verdict.stdout.contains("e2e | //! Jobs"), "{verdict:#?}");
    assert!(
        verdict.stderr.contains("e2e | swordfish [hidden]\n"),
        "{verdict:#?}"
    );
    assert!(!verdict.stderr.contains("mackerel"), "{verdict:#?}");
}

/// Where the artifacts of these tests go.
fn left(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/tmp/jobs")
        .join(name)
}

#[seatrial::test]
async fn a_job_that_fails_names_its_cases_and_leaves_its_artifacts(
    #[job(
        image = "debian:bookworm-slim",
        source(none),
        workdir = "/work",
        files("/in/junit.xml" = "<testsuites><testsuite><testcase classname='orders' name='total'><failure message='3 is not 4'/></testcase>\
                                 <testcase classname='orders' name='empty'/></testsuite></testsuites>"),
        run = "mkdir -p reports/deep && cp /in/junit.xml reports/deep/ && echo here > note && echo done testing && exit 3",
        artifacts("reports" = "../target/tmp/jobs/fails", "/work/note" = "../target/tmp/jobs/note", "/none" = "../target/tmp/jobs/none"),
    )]
    e2e: Job,
) {
    let error = e2e.run().await.expect_err("it fails");
    assert_eq!(error.kind(), ErrorKind::Job);
    assert_eq!(error.service(), Some("e2e"));
    assert_eq!(error.exit_code(), Some(3));
    assert_eq!(error.log_lines(), ["done testing"]);
    let expected = "job `e2e` of `a_job_that_fails_names_its_cases_and_leaves_its_artifacts`: the container exited with code 3\n\
                    \x20 1 of 2 cases failed, says ../target/tmp/jobs/fails/deep/junit.xml:\n\
                    \x20   orders::total: 3 is not 4\n\
                    \x20 it has left no `/none`\n";
    assert!(error.to_string().starts_with(expected), "{error}");
    let note = left("note");
    assert_eq!(fs::read_to_string(&note).expect("a file"), "here\n");
    let (own, copied) = (fs::metadata(".").expect("the package"), fs::metadata(&note));
    assert_eq!(copied.expect("a file").uid(), own.uid(), "it is ours");
    assert!(left("fails/deep/junit.xml").is_file());
    assert!(!left("none").exists());
}

#[seatrial::test]
fn a_job_that_succeeds_has_to_leave_its_artifacts(
    #[job(
        image = "debian:bookworm-slim",
        run = "echo nothing is written",
        artifacts("/reports" = "../target/tmp/jobs/missing"),
    )]
    e2e: Job,
) {
    let error = e2e.run().wait().expect_err("nothing is there");
    assert_eq!((error.kind(), error.exit_code()), (ErrorKind::Job, Some(0)));
    let text = error.to_string();
    for part in [
        "has succeeded",
        "it has left no `/reports`",
        "| nothing is written",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[seatrial::test]
fn a_report_that_is_cut_fails_no_job_and_is_named_where_one_fails(
    #[job(
        image = "debian:bookworm-slim",
        run = "echo '<testsuites><testsuite>' > /cut.xml",
        artifacts("/cut.xml" = "../target/tmp/jobs/cut.xml")
    )]
    passes: Job,
    #[job(
        image = "debian:bookworm-slim",
        run = "echo '<testsuites><testsuite>' > /cut.xml; exit 1",
        artifacts("/cut.xml" = "../target/tmp/jobs/also_cut.xml")
    )]
    fails: Job,
) -> Result<(), seatrial::Error> {
    passes.run().wait()?;
    assert!(left("cut.xml").is_file());
    let error = fails.run().wait().expect_err("it fails").to_string();
    let expected = "cannot read the report `../target/tmp/jobs/also_cut.xml`";
    assert!(error.contains(expected), "{error}");
    Ok(())
}

#[seatrial::test]
async fn a_job_that_never_ends_is_killed_and_its_last_lines_are_told(
    #[job(
        image = "debian:bookworm-slim",
        run = "mkdir /reports && echo half > /reports/a && echo waiting for godot && sleep infinity",
        timeout = "2s",
        artifacts("/reports" = "../target/tmp/jobs/late"),
    )]
    e2e: Job,
) {
    let error = e2e.run().await.expect_err("it never ends");
    assert_eq!((error.kind(), error.exit_code()), (ErrorKind::Job, None));
    let text = error.to_string();
    for part in [
        "did not end within 2",
        "| waiting for godot",
        "write `timeout = \"4s\"`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(
        fs::read_to_string(left("late/a")).expect("a file"),
        "half\n"
    );
}

#[derive(Composition)]
struct Broken {
    #[job(image = "debian:bookworm-slim", run = "echo no such table && exit 5")]
    migrate: Job,
    #[service(
        image = "debian:bookworm-slim",
        needs(migrate),
        command = "sleep infinity",
        ready(running)
    )]
    app: Service,
    #[job(image = "debian:bookworm-slim", needs(app), run = "true")]
    e2e: Job,
}

#[test]
fn what_needs_a_job_that_fails_is_not_started() {
    let error = Broken::launch().wait().map(drop).expect_err("it fails");
    let expected = "job `migrate` of `Broken`: the container exited with code 5\n\
                    \x20 the last lines of its log:\n\
                    \x20   | no such table\n\
                    \x20 not started because of it: `app`";
    assert_eq!(error.to_string(), expected);
}

#[seatrial::test]
async fn a_job_that_nobody_waits_for_any_more_ends(
    #[job(image = "debian:bookworm-slim", run = "hostname && sleep infinity")] endless: Job,
) {
    let running = endless.run();
    let is_there = |is: bool| {
        let name = "a_job_that_nobody_waits_for_any_more_ends";
        let becomes = || (engine::of_service(name, "endless").is_empty() != is).then_some(());
        waiting::comes_about(Duration::from_secs(60), becomes).expect("it comes about");
    };
    is_there(true);
    drop(running);
    is_there(false);
}

#[seatrial::test]
fn what_cannot_be_run_is_told(
    #[job(image = "debian:bookworm-slim", run = "no-such-command --now")] absent: Job,
    #[job(
        image = "debian:bookworm-slim",
        run = "no-such-command | cat; exit 127"
    )]
    in_shell: Job,
) {
    let error = absent.run().wait().expect_err("it is not there");
    assert!(error.to_string().contains("no-such-command"), "{error}");
    let error = in_shell.run().wait().expect_err("it is not there");
    assert_eq!(error.exit_code(), Some(127));
    let help = "help: name an executable that the image has in `run`";
    assert!(error.to_string().contains(help), "{error}");
}

#[derive(Composition)]
#[composition(scope = binary)]
struct Shared {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,

    #[job(
        image = "debian:bookworm-slim",
        env(HOST = "{server.host}"),
        run = ["bash", "-c", "exec 3<>/dev/tcp/$HOST/4000; echo say migrated >&3; read -u 3 line"],
    )]
    migrate: Job,

    #[service(
        image = "debian:bookworm-slim",
        needs(migrate),
        scope = test,
        command = ["sh", "-c", "echo up; exec sleep infinity"],
        ready(log = "up"),
    )]
    app: Service,
}

#[test]
fn a_job_of_services_that_are_shared_is_run_once() {
    let first = Shared::launch().wait().expect("it is launched");
    let second = Shared::launch().wait().expect("it is launched");
    assert_eq!(first.server.id(), second.server.id());
    assert_ne!(first.app.id(), second.app.id());
    let log = second.server.logs().wait().expect("it logs");
    assert_eq!(log.matches("migrated").count(), 1, "{log}");
    // It may be run again all the same.
    first.migrate.run().wait().expect("it passes");
    let log = second.server.logs().wait().expect("it logs");
    assert_eq!(log.matches("migrated").count(), 2, "{log}");
}
