//! What is secret in a declaration stays so, however a test ends.

use seatrial::{Composition, Service};

use crate::run::{Run, rounds};

/// Not found in any word of ours by chance.
const SECRET: &str = "albatross-17";

/// Logs its password and that of its neighbour, also within a URL, and is never ready.
#[derive(Composition)]
struct Indiscreet {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sh", "-c", "echo my password is $DB_PASSWORD; exec sleep infinity"],
        env(DB_PASSWORD = "albatross-17"),
        ready(log = "albatross-17"),
    )]
    db: Service,
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sh", "-c", "echo dialling $DATABASE_URL; exec sleep infinity"],
        env(DATABASE_URL = "postgres://ann:albatross-17@db/shop"),
        needs(db),
        ready(exec = "sh -c 'echo -p$1 is refused; exit 1' psql albatross-17", interval = "10ms", failures = 2),
    )]
    app: Service,
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn is_not_ready(indiscreet: Indiscreet) {
    unreachable!("{:?}", indiscreet.app);
}

/// Ends with its password on its lips.
#[derive(Composition)]
struct Talkative {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sh", "-c", "echo $API_KEY >&2; exit 4"],
        env(API_KEY = "albatross-17"),
        ready(log = "albatross-17 was taken"),
    )]
    app: Service,
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn ends(talkative: Talkative) {
    unreachable!("{:?}", talkative.app);
}

/// Has its password where the engine looks for an executable.
#[derive(Composition)]
struct Misspelled {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/albatross-17"],
        env(API_TOKEN = "albatross-17"),
    )]
    app: Service,
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn does_not_start(misspelled: Misspelled) {
    unreachable!("{:?}", misspelled.app);
}

/// Is ready, and fails by what the test does with it.
#[derive(Composition)]
struct Careless {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sh", "-c", "echo $ROOT_PASSWORD; exec sleep infinity"],
        env(ROOT_PASSWORD = "albatross-17"),
        ready(log = "albatross-17"),
    )]
    db: Service,
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn fails_later(careless: Careless) -> anyhow::Result<()> {
    let error = careless.db.exec(["/bin/albatross-17"]).wait();
    let error = error.expect_err("there is no such executable");
    eprintln!("{error}\n{error:?}\n{careless:?}", careless = careless.db);
    let error = careless.db.copy_out("/albatross-17", "nowhere").wait();
    anyhow::bail!("{:?}", error.expect_err("there is no such file"))
}

#[test]
fn no_secret_is_told() {
    rounds(|| {
        for (case, said) in [
            // What its check said of it is told, too.
            ("is_not_ready", "exit code 1: -p"),
            ("ends", "the container exited with code 4"),
            ("does_not_start", "service `app` of `Misspelled`:"),
            (
                "fails_later",
                "the last lines of service `db` of `Careless`:",
            ),
        ] {
            let mut run = Run::direct("");
            run.command.arg(format!("secrets::{case}"));
            let events = run.path("events");
            run.command
                .env("SEATRIAL_EVENTS", &events)
                .env("SEATRIAL_REPORT", "1");
            let ended = run.end();
            let events = std::fs::read_to_string(&events).expect("events are recorded");
            assert!(events.contains("\"created\""), "{events}");
            assert!(!events.contains(SECRET), "{events}");
            ended.exited(101).said(said).did_not_say(SECRET);
        }
    });
}
