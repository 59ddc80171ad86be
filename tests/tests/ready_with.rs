//! Functions of the user's as readiness checks: what they may do with their service, and what comes of one that panics.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use seatrial::{Composition, ErrorKind, Service};
use seatrial_tests::conversation::ask;

#[derive(Composition)]
struct Handled {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "db"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(with = does_everything),
    )]
    db: Service,
}

/// Nothing of it waits until the service is ready, for that waits for this.
async fn does_everything(db: &Service) -> Result<()> {
    db.wait_log("listening").await?;
    ask(db.addr(), "say asked")?;
    let mut lines = db.log_lines();
    while let Some(line) = lines.next().await {
        if line?.text == "asked" {
            break;
        }
    }
    ensure!(db.logs().await?.contains("asked"));

    let here = std::env::temp_dir().join(format!("seatrial-ready-with-{}", std::process::id()));
    std::fs::create_dir_all(&here)?;
    let copied = copies(db, &here).await;
    std::fs::remove_dir_all(&here)?;
    copied?;

    db.pause().await?;
    db.unpause().await?;
    db.disconnect().await?;
    db.reconnect().await?;
    db.signal("SIGCONT").await?;
    db.restart().await?;
    db.stop().await?;
    db.start().await?;
    let waits = db.ready().await.expect_err("it would wait for itself");
    ensure!(waits.to_string().contains("cannot wait"), "{waits}");
    let seen = db.exec(["cat", "/srv/one"]).await?;
    ensure!(seen.stdout == "one", "{seen:?}");
    // Its port was served before the restart, which is all that the check beside this asks.
    while ask(db.addr(), "hello").is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn copies(db: &Service, here: &std::path::Path) -> Result<()> {
    std::fs::write(here.join("one"), "one")?;
    db.copy_in(here, "/srv").await?;
    db.copy_out("/srv/one", here.join("two")).await?;
    ensure!(std::fs::read_to_string(here.join("two"))? == "one");
    Ok(())
}

#[seatrial::test(timeout = "2m")]
async fn a_function_may_do_everything_with_its_service(Handled { db }: Handled) -> Result<()> {
    ensure!(ask(db.addr(), "hello")? == "hello from db");
    // The same, of a service that others have already.
    db.ready().await?;
    Ok(())
}

#[derive(Composition, Debug)]
struct Panics {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo begun; exec sleep infinity"],
        ready(log = "begun", with = panics_at_once, timeout = "10m"),
    )]
    db: Service,
}

static PANICS: AtomicU32 = AtomicU32::new(0);

async fn panics_at_once(_: &Service) -> Result<(), String> {
    PANICS.fetch_add(1, Ordering::SeqCst);
    let rows: Result<u32, _> = "none".parse();
    rows.map(drop)
        .map_err(|error| error.to_string())
        .expect("the table has rows");
    Ok(())
}

#[derive(Composition, Debug)]
struct PanicsLater {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "exec sleep infinity"],
        ready(with = panics_later, timeout = "10m", failures = 1000),
    )]
    db: Service,
}

async fn panics_later(_: &Service) -> Result<(), String> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    match CALLS.fetch_add(1, Ordering::SeqCst) {
        0..3 => Err("no schema yet".to_owned()),
        calls => panic!("call number {}", calls + 1),
    }
}

#[seatrial::test]
fn a_function_that_panics_is_not_called_again_and_the_error_says_where() {
    let at_once = Panics::launch();
    let later = PanicsLater::launch();
    for (error, function, message) in [
        (
            at_once.wait().map(drop),
            "panics_at_once",
            "the table has rows",
        ),
        (later.wait().map(drop), "panics_later", "call number 4"),
    ] {
        let error = error.expect_err("it panics");
        assert_eq!(error.kind(), ErrorKind::NotReady);
        assert_eq!(error.service(), Some("db"));
        let text = error.to_string();
        for part in [
            "a readiness function panicked",
            function,
            "it panicked at tests/tests/ready_with.rs:",
            message,
            "return an error",
        ] {
            assert!(text.contains(part), "`{part}` is missing: {text}");
        }
        assert!(!text.contains("in the log"), "the check that held: {text}");
    }
    assert_eq!(PANICS.load(Ordering::SeqCst), 1);
}
