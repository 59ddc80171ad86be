//! How long services live and who shares them: by test and by test process, also mixed in one tree; and a test's own
//! instances of what others share.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use seatrial::{Composition, ErrorKind, LogLines, Operation, Service};
use seatrial_tests::child;
use seatrial_tests::conversation::ask;
use seatrial_tests::events::Events;

#[derive(Composition)]
#[composition(scope = binary)]
struct Fleet {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "flagship"),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    flagship: Service,

    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "boat"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        needs(flagship),
        scope = test,
    )]
    boat: Service,
}

impl Fleet {
    #[track_caller]
    fn assert_boat_reaches_flagship(&self) {
        let answer = ask(self.boat.addr(), "ask flagship:4000").expect("the boat answers");
        assert_eq!(answer, "hello from flagship");
    }
}

fn ids<'a>(services: impl Iterator<Item = &'a Service>) -> BTreeSet<String> {
    services.map(|service| service.id().to_owned()).collect()
}

#[seatrial::test]
fn an_instance_per_process_is_shared_and_one_per_test_is_not(first: Fleet) {
    let threads: Vec<_> = (0..3)
        .map(|_| thread::spawn(|| Fleet::launch().wait().expect("a fleet")))
        .collect();
    let others: Vec<Fleet> = threads
        .into_iter()
        .map(|thread| thread.join().expect("it ends"))
        .collect();
    let fleets = || others.iter().chain([&first]);
    assert_eq!(ids(fleets().map(|fleet| &fleet.flagship)).len(), 1);
    assert_eq!(ids(fleets().map(|fleet| &fleet.boat)).len(), 4);
    for fleet in fleets() {
        fleet.assert_boat_reaches_flagship();
    }

    // The boats go with their launch, the flagship does not.
    let boat = others[0].boat.log_lines();
    drop(others);
    assert!(
        boat.wait_iter().all(|line| line.is_ok()),
        "it ends when the boat is gone"
    );
    first.assert_boat_reaches_flagship();
    let again = Fleet::launch().wait().expect("a fleet");
    assert_eq!(again.flagship.id(), first.flagship.id());
    assert_eq!(again.flagship.addr(), first.flagship.addr());
}

/// The logs of the flagships that `asks_for_its_own` had to itself.
static OWN_FLAGSHIPS: Mutex<Vec<LogLines>> = Mutex::new(Vec::new());

#[seatrial::test]
#[ignore = "run by `a_test_gets_instances_of_its_own`"]
async fn asks_for_its_own(
    shared: Fleet,
    #[composition(scope = test)] own: Fleet,
    #[composition(scope = test)] another: Fleet,
) {
    let fleets = [&shared, &own, &another];
    let flagships = fleets.iter().map(|fleet| &fleet.flagship);
    assert_eq!(ids(flagships).len(), 3);
    for fleet in fleets {
        fleet.assert_boat_reaches_flagship();
    }
    OWN_FLAGSHIPS
        .lock()
        .expect("nobody panicked")
        .extend([&own, &another].map(|fleet| fleet.flagship.log_lines()));
    // Whatever it does to them, nobody else sees it.
    own.flagship.stop().await.expect("it stops");
}

#[seatrial::test]
fn a_test_gets_instances_of_its_own(shared: Fleet) {
    asks_for_its_own();
    // They go with the test that asked for them, the shared flagship does not.
    let logs = std::mem::take(&mut *OWN_FLAGSHIPS.lock().expect("nobody panicked"));
    assert_eq!(logs.len(), 2);
    for log in logs {
        assert!(
            log.wait_iter().all(|line| line.is_ok()),
            "it ends when the flagship is gone"
        );
    }
    shared.assert_boat_reaches_flagship();
    let again = Fleet::launch().wait().expect("a fleet");
    assert_eq!(again.flagship.id(), shared.flagship.id());
}

#[derive(Composition)]
#[composition(scope = binary)]
struct Shared {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(tcp, timeout = "10m")
    )]
    server: Service,
}

#[seatrial::test]
fn a_shared_instance_that_a_test_stopped_is_noticed() {
    let first = Shared::launch().wait().expect("it runs");
    first.server.stop().wait().expect("it stops");
    let error = Shared::launch()
        .wait()
        .map(drop)
        .expect_err("it is stopped");
    assert_eq!(error.kind(), ErrorKind::Exited);
    assert_eq!(error.service(), Some("server"));
    assert_eq!(
        error.log_lines().last().map(String::as_str),
        Some("ended by TERM")
    );
    let text = error.to_string();
    assert!(
        text.contains("a test before this one may have changed that"),
        "{text}"
    );

    // Whoever has it can make it right again.
    first.server.start().wait().expect("it starts");
    let second = Shared::launch().wait().expect("it runs");
    assert_eq!(second.server.id(), first.server.id());
}

#[derive(Composition)]
#[composition(scope = binary)]
struct Broken {
    #[service(image = "debian:bookworm-slim", port = 4000, command = ["sh", "-c", "echo broken; exit 1"])]
    server: Service,
}

#[seatrial::test]
fn a_shared_instance_that_failed_is_not_tried_again() {
    let launches: Vec<Operation<Broken>> = (0..3).map(|_| Broken::launch()).collect();
    for launch in launches {
        let error = launch.wait().map(drop).expect_err("it is broken");
        assert_eq!(error.log_lines(), ["broken"]);
    }
    let error = Broken::launch().wait().map(drop).expect_err("it is broken");
    assert_eq!(error.kind(), ErrorKind::Exited);
    assert!(error.to_string().contains("is not tried again"), "{error}");
}

/// What several tests of one process share. Run by the test below.
mod crew {
    use super::*;

    #[seatrial::test]
    #[ignore = "run by `several_tests_share_an_instance`"]
    fn one(fleet: Fleet) {
        fleet.assert_boat_reaches_flagship();
    }

    #[seatrial::test]
    #[ignore = "run by `several_tests_share_an_instance`"]
    async fn two(fleet: Fleet) {
        fleet.assert_boat_reaches_flagship();
    }

    #[seatrial::test]
    #[ignore = "run by `several_tests_share_an_instance`"]
    fn three_fails(fleet: Fleet) {
        fleet.assert_boat_reaches_flagship();
        panic!("man overboard");
    }

    #[seatrial::test]
    #[ignore = "run by `several_tests_share_an_instance`"]
    fn four(
        fleet: Fleet,
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", scope = binary, ready(running))]
        buoy: Service,
    ) {
        fleet.assert_boat_reaches_flagship();
        assert!(buoy.exec(["true"]).wait().expect("it floats").success());
    }
}

#[test]
fn several_tests_share_an_instance() {
    let events = Events::new("crew");
    let verdict = child::run(
        child::tests("crew::")
            .arg("--test-threads=4")
            .env("SEATRIAL_EVENTS", events.path())
            // One that is brought up ahead is nobody's.
            .env("SEATRIAL_AHEAD", "0"),
    );
    assert!(verdict.stdout.contains("3 passed; 1 failed"), "{verdict:?}");
    assert!(
        verdict.stdout.contains("crew::three_fails ... FAILED"),
        "{verdict:?}"
    );
    assert!(verdict.stdout.contains("man overboard"), "{verdict:?}");
    for (service, instances) in [("flagship", 1), ("boat", 4), ("buoy", 1)] {
        assert_eq!(events.count(service, "created"), instances, "{service}");
        assert_eq!(events.count(service, "ready"), instances, "{service}");
    }
}
