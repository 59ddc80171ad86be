//! Setups as a test sees them: what they may do, and what it is told where they fail.

use std::fmt;

use anyhow::{Result, ensure};
use seatrial::{Composition, Error, ErrorKind, Service};
use seatrial_tests::conversation::ask;

#[derive(Composition)]
struct SetUp {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "db"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        setup(exec = "echo one >> /steps"),
        setup(
            image = "debian:bookworm-slim",
            run = "test -f fixtures/serve.pl && test $WHO = me && perl -MIO::Socket::INET -e \
                   '$s = IO::Socket::INET->new(q({self})) or die; print $s qq(say hello\\n); <$s>'",
            env(WHO = "me"),
        ),
        setup(with = does_everything),
    )]
    db: Service,
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "app"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        needs(db),
        setup(
            exec = "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(q({db})) or die'",
            name = "sees db"
        )
    )]
    app: Service,
}

async fn does_everything(db: &Service) -> Result<()> {
    db.wait_log("hello").await?;
    ensure!(ask(db.addr(), "hello")? == "hello from db");
    db.restart().await?;
    ensure!(ask(db.addr(), "hello")? == "hello from db");
    db.stop().await?;
    db.start().await?;
    db.disconnect().await?;
    db.reconnect().await?;
    db.ready().await?;
    let two = std::env::temp_dir().join(format!("seatrial-setup-{}", std::process::id()));
    std::fs::write(&two, "two\n")?;
    let copied = db.copy_in(&two, "/two").await;
    std::fs::remove_file(&two)?;
    copied?;
    let joined = db.exec(["sh", "-c", "cat /two >> /steps"]).await?;
    ensure!(joined.success(), "{joined:?}");
    let mut lines = db.log_lines();
    while let Some(line) = lines.next().await {
        if line?.text == "hello" {
            return Ok(());
        }
    }
    anyhow::bail!("the log has ended")
}

#[seatrial::test]
fn a_service_is_set_up_before_a_test_has_it(set: SetUp) {
    let steps = set
        .db
        .exec(["cat", "/steps"])
        .wait()
        .expect("a command runs");
    assert_eq!(steps.stdout, "one\ntwo\n");
    assert_eq!(
        ask(set.app.addr(), "ask db:4000").expect("an answer"),
        "hello from db"
    );
}

/// The error of a composition that cannot be set up, and its text.
#[track_caller]
fn failure<C: Composition>(parts: &[&str]) {
    let error: Error = C::launch()
        .wait()
        .map(drop)
        .expect_err("it cannot be set up");
    let text = error.to_string();
    assert_eq!(
        (error.kind(), error.service()),
        (ErrorKind::Setup, Some("db")),
        "{text}"
    );
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

#[derive(Debug)]
struct TideIsOut;

impl fmt::Display for TideIsOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tide is out")
    }
}

async fn fails(_: &Service) -> Result<(), TideIsOut> {
    Err(TideIsOut)
}

#[test]
fn an_error_of_a_function_is_told_whatever_its_type() {
    #[derive(Composition)]
    struct Harbour {
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", setup(with = fails), ready(running))]
        db: Service,
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            needs(db),
            ready(running)
        )]
        app: Service,
    }
    failure::<Harbour>(&[
        "service `db` of `Harbour`: the setup `fails` failed\n  the tide is out\n",
        "not started because of it: `app`",
        "help: ",
    ]);
}

async fn panics(_: &Service) -> Result<(), String> {
    panic!("no chart")
}

#[test]
fn a_panic_of_a_function_is_told_with_its_place() {
    #[derive(Composition)]
    struct Harbour {
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            setup(with = panics, name = "chart"),
            ready(running)
        )]
        db: Service,
    }
    failure::<Harbour>(&[
        "the setup `chart` (`panics`) failed\n  it panicked at tests/tests/setup.rs:",
        ": no chart\n",
        "help: ",
    ]);
}

async fn never_returns(_: &Service) -> Result<(), String> {
    std::future::pending().await
}

#[test]
fn a_function_that_does_not_return_is_given_up() {
    #[derive(Composition)]
    struct Harbour {
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            setup(with = never_returns, timeout = "200ms"),
            ready(running)
        )]
        db: Service,
    }
    failure::<Harbour>(&[
        "the setup `never_returns` did not finish within 200 ms",
        "the service has logged nothing",
        "help: ",
        "`setup(.., timeout = \"10m\")`",
    ]);
}

#[test]
fn an_image_that_is_not_there_is_told_with_its_setup() {
    #[derive(Composition)]
    struct Harbour {
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            setup(image = "localhost:1/no-such-image:1", run = "true"),
            ready(running)
        )]
        db: Service,
    }
    let error = Harbour::launch().wait().map(drop).expect_err("no image");
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Image);
    assert!(
        text.contains("`localhost:1/no-such-image:1`, for the setup `true` in"),
        "{text}"
    );
}
