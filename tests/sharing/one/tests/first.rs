//! The shared declaration, a test's own instances of it, and declarations that only seem to be the same.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::Harbour;
use seatrial::{Composition, Service};

#[seatrial::test]
#[ignore = "run by `tests/tests/sharing`"]
fn shares(harbour: Harbour) {
    harbour.assert_all_run();
}

#[seatrial::test]
#[ignore = "run by `tests/tests/sharing`"]
fn has_its_own_too(harbour: Harbour, #[composition(scope = test)] own: Harbour) {
    for (shared, own) in harbour.services().into_iter().zip(own.services()) {
        assert_ne!(shared.id(), own.id());
    }
    // Whatever it does to its own, nobody else sees it.
    own.lighthouse.kill().wait().expect("it ends");
    harbour.assert_all_run();
}

/// Fails unless the service is `name`, and counts.
async fn is(name: &str, service: &Service, calls: &AtomicUsize) -> Result<(), seatrial::Error> {
    calls.fetch_add(1, Ordering::SeqCst);
    let said = service.exec(["printenv", "NAME"]).await?.stdout;
    assert_eq!(said.trim(), name);
    Ok(())
}

#[seatrial::test]
#[ignore = "run by `tests/tests/sharing`"]
fn declares_one() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);

    async fn is_ready(service: &Service) -> Result<(), seatrial::Error> {
        is("one", service, &CALLS).await
    }

    #[derive(Composition)]
    #[composition(scope = run)]
    struct Island {
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            env(NAME = "one"),
            ready(with = is_ready)
        )]
        beach: Service,
    }

    let island = Island::launch()
        .wait()
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(
        island
            .beach
            .exec(["true"])
            .wait()
            .expect("a command runs")
            .success()
    );
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}

#[seatrial::test]
#[ignore = "run by `tests/tests/sharing`"]
fn declares_another_of_that_name() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);

    async fn is_ready(service: &Service) -> Result<(), seatrial::Error> {
        is("another", service, &CALLS).await
    }

    #[derive(Composition)]
    #[composition(scope = run)]
    struct Island {
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            env(NAME = "another"),
            ready(with = is_ready)
        )]
        beach: Service,
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            needs(beach),
            ready(running)
        )]
        palm: Service,
    }

    let island = Island::launch()
        .wait()
        .unwrap_or_else(|error| panic!("{error}"));
    for service in [&island.beach, &island.palm] {
        assert!(
            service
                .exec(["true"])
                .wait()
                .expect("a command runs")
                .success()
        );
    }
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}
