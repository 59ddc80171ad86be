//! The states of a service: what moves it from one to another, and what it tells of them.

use std::time::{Duration, Instant};

use seatrial::{Composition, Error, ErrorKind, Service, ServiceStatus};
use seatrial_tests::scratch::Scratch;

/// A bound on what must not take as long as the engine's own grace period, 10 seconds.
const SOON: Duration = Duration::from_secs(9);

#[seatrial::test]
async fn a_service_is_stopped_with_the_grace_period_that_is_asked_for(
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"],
        ready(log = "deaf")
    )]
    deaf: Service,
) -> Result<(), seatrial::Error> {
    let begun = Instant::now();
    deaf.stop_within(Duration::from_millis(1100)).await?;
    let took = begun.elapsed();
    // A part of a second counts as a whole one.
    assert!(took >= Duration::from_secs(2) && took < SOON, "{took:?}");
    // To stop what is stopped changes nothing.
    deaf.stop_within(Duration::MAX).await
}

#[seatrial::test]
fn a_service_is_stopped_at_once_without_a_grace_period(
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"],
        ready(log = "deaf")
    )]
    deaf: Service,
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,
) -> Result<(), seatrial::Error> {
    let begun = Instant::now();
    deaf.stop_within(Duration::ZERO).wait()?;
    // One that ends when it is asked to is not waited for any longer.
    server.stop_within(Duration::MAX).wait()?;
    server.wait_log("ended by TERM").wait()?;
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    deaf.start().wait()
}

/// More than any test takes.
const FOREVER: Duration = Duration::from_secs(3600);

#[derive(Composition)]
struct Deaf {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "trap '' TERM; trap 'echo hup' HUP; echo deaf; while :; do sleep 0.1; done"],
        ready(log = "deaf")
    )]
    deaf: Service,
}

#[seatrial::test]
async fn a_service_that_does_not_end_is_looked_at_and_killed(
    Deaf { deaf }: Deaf,
) -> Result<(), seatrial::Error> {
    let begun = Instant::now();
    let stopping = deaf.stop_within(FOREVER);
    assert!(deaf.status().await?.is_running());
    assert_eq!(deaf.logs().await?, "deaf\n");
    assert!(deaf.exec(["true"]).await?.success());
    let scratch = Scratch::new("deaf");
    let copied = scratch.path("hostname");
    deaf.copy_out("/etc/hostname", &copied).await?;
    assert!(copied.is_file());
    deaf.signal("SIGHUP").await?;
    deaf.wait_log("hup").await?;
    // What comes after a start is for what is started, and a start waits for the end of what is stopped.
    let (killed, started) = (deaf.kill(), deaf.start());
    killed.await?;
    stopping.await?;
    started.await?;
    assert!(deaf.status().await?.is_running());
    assert!(begun.elapsed() < FOREVER / 60, "{:?}", begun.elapsed());
    Ok(())
}

#[seatrial::test]
fn a_service_that_does_not_end_is_killed_by_a_plain_test(
    Deaf { deaf }: Deaf,
) -> Result<(), seatrial::Error> {
    let stopping = deaf.stop_within(FOREVER);
    assert!(deaf.status().wait()?.is_running());
    deaf.kill().wait()?;
    stopping.wait()?;
    let status = deaf.status().wait()?;
    assert_eq!(status.exit().and_then(|exit| exit.signal), Some(9));

    // A kill ends only what a restart stops.
    deaf.start().wait()?;
    let restarting = deaf.restart();
    assert!(deaf.exec(["true"]).wait()?.success());
    let begun = Instant::now();
    deaf.kill().wait()?;
    restarting.wait()?;
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert!(deaf.status().wait()?.is_running());
    Ok(())
}

#[derive(Composition)]
struct Server {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(with = runs)
    )]
    server: Service,
}

/// A service can be asked while it is waited for.
async fn runs(server: &Service) -> Result<(), String> {
    match server.status().await {
        Ok(ServiceStatus::Running) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

#[seatrial::test]
async fn a_service_tells_whether_it_runs_and_how_it_has_ended(
    server: Server,
) -> Result<(), seatrial::Error> {
    let server = &server.server;
    let begun = Instant::now();
    assert_eq!(server.status().await?, ServiceStatus::Running);
    server.pause().await?;
    let paused = server.status().await?;
    assert_eq!(paused, ServiceStatus::Paused);
    assert!(!paused.is_running());
    server.unpause().await?;

    // It ends by itself when it is asked to.
    server.stop().await?;
    let status = server.status().await?;
    let exit = status.exit().expect("it has ended");
    assert_eq!(
        (exit.code, exit.signal, exit.out_of_memory),
        (Some(0), None, false)
    );
    server.start().await?;
    assert!(server.status().await?.is_running());

    server.kill().await?;
    let status = server.status().await?;
    let ServiceStatus::Exited(exit) = &status else {
        panic!("it is {status}");
    };
    assert_eq!((exit.code, exit.signal), (Some(137), Some(9)));
    assert!(exit.ago < begun.elapsed(), "{status}");
    let text = status.to_string();
    assert!(
        text.starts_with("exited with code 137 (signal 9), "),
        "{text}"
    );
    let later = server.status().await?;
    assert!(
        later.exit().expect("it has ended").ago >= exit.ago,
        "{later}"
    );
    Ok(())
}

#[seatrial::test]
fn the_status_tells_of_an_end_that_nobody_waited_for(
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,
) -> Result<(), seatrial::Error> {
    server.signal("SIGKILL").wait()?;
    let begun = Instant::now();
    let status = loop {
        let status = server.status().wait()?;
        if !status.is_running() {
            break status;
        }
        assert!(begun.elapsed() < SOON, "it is {status}");
    };
    assert_eq!(status.exit().and_then(|exit| exit.code), Some(137));
    Ok(())
}

#[seatrial::test]
fn the_status_of_a_container_that_others_removed_is_an_error(
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,
) {
    let removed = std::process::Command::new("docker")
        .args(["rm", "--force", server.id()])
        .output()
        .expect("docker runs");
    assert!(removed.status.success(), "{removed:?}");
    let error = server.status().wait().expect_err("it is gone");
    assert_eq!(error.kind(), ErrorKind::Operation);
    assert_eq!(error.service(), Some("server"));
    assert!(
        error.to_string().contains("cannot inspect the container"),
        "{error}"
    );
}

#[seatrial::test]
async fn an_error_has_the_code_of_a_service_that_was_killed(
    server: Server,
) -> Result<(), seatrial::Error> {
    let server = &server.server;
    server.kill().await?;
    let never = server.wait_log("a line that it never writes").await;
    for (error, kind) in [
        (
            server.ready().await.expect_err("it has ended"),
            ErrorKind::Exited,
        ),
        (never.expect_err("it has ended"), ErrorKind::Operation),
    ] {
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.exit_code(), Some(137), "{error}");
        assert_eq!(error.service(), Some("server"), "{error}");
        assert_eq!(error.composition(), Some("Server"), "{error}");
        assert!(!error.log_lines().is_empty(), "{error}");
    }
    let other = server.pause().await.expect_err("it does not run");
    assert_eq!(
        (other.exit_code(), other.composition()),
        (None, Some("Server"))
    );
    Ok(())
}

#[derive(Composition)]
struct Leaving {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo no such key; exit 78"],
        ready(running)
    )]
    app: Service,
}

#[derive(Composition)]
struct Unset {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running),
        setup(exec = ["sh", "-c", "echo no such table; exit 9"])
    )]
    db: Service,
}

#[seatrial::test]
fn an_error_has_the_code_of_what_kept_a_launch_from_its_end() {
    let error = Leaving::launch().wait().map(drop).expect_err("it leaves");
    assert_error(&error, ErrorKind::Exited, 78, ["app", "Leaving"]);
    assert_eq!(error.log_lines(), ["no such key"]);
    let error = Unset::launch()
        .wait()
        .map(drop)
        .expect_err("it is not set up");
    assert_error(&error, ErrorKind::Setup, 9, ["db", "Unset"]);
}

fn assert_error(error: &Error, kind: ErrorKind, code: i64, [service, composition]: [&str; 2]) {
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.exit_code(), Some(code), "{error}");
    assert_eq!(error.service(), Some(service), "{error}");
    assert_eq!(error.composition(), Some(composition), "{error}");
}
