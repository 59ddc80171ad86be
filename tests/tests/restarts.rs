//! What a check of the log makes of a service that is started again, or is asked to although it runs.

use seatrial::{Composition, ErrorKind, Service};

/// Says once for each start that it is ready.
#[derive(Composition)]
struct Once {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo ready; exec sleep infinity"],
        stop_signal = "SIGKILL",
        ready(log = "ready", timeout = "10m"),
    )]
    service: Service,
}

#[seatrial::test(timeout = "2m")]
async fn what_runs_is_not_waited_for_as_if_it_were_started(
    Once { service }: Once,
) -> Result<(), seatrial::Error> {
    service.start().await?;
    service.start().await?;
    service.stop().await?;
    service.start().await?;
    service.start().await?;
    let log = service.logs().await?;
    assert_eq!(log, "ready\nready\n", "it was started twice in all");
    Ok(())
}

#[seatrial::test(timeout = "2m")]
async fn the_engine_says_that_what_is_paused_cannot_be_started(
    Once { service }: Once,
) -> Result<(), seatrial::Error> {
    service.pause().await?;
    let error = service.start().await.expect_err("it is frozen");
    assert_eq!(error.kind(), ErrorKind::Operation);
    assert!(error.to_string().contains("paused"), "{error}");
    service.unpause().await
}

/// Says it twice at the first start, as a database does that initialises itself, and once at any other.
#[derive(Composition)]
struct TwiceAtFirst {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "test -e /data || echo ready; touch /data; echo ready; exec sleep infinity"],
        stop_signal = "SIGKILL",
        ready(log = "ready", times = 2, timeout = "15s"),
    )]
    service: Service,
}

#[seatrial::test(timeout = "2m")]
async fn lines_that_are_too_few_after_a_restart_are_told_of(
    TwiceAtFirst { service }: TwiceAtFirst,
) {
    let error = service.restart().await.expect_err("it says it once");
    assert_eq!(error.kind(), ErrorKind::NotReady);
    let text = error.to_string();
    for part in [
        "seen once since its latest start",
        "each start must write as many lines",
    ] {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
}
