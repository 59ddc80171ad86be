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
        ready(running),
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

/// Its setup says the password, in its command and its output.
#[derive(Composition)]
struct Chatty {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sh", "-c", "echo $DB_PASSWORD; exec sleep infinity"],
        env(DB_PASSWORD = "albatross-17"),
        setup(exec = "sh -c 'echo seeding as $1; exit 3' seed albatross-17"),
        ready(running),
    )]
    db: Service,
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn is_not_set_up(chatty: Chatty) {
    unreachable!("{:?}", chatty.db);
}

async fn confides(_: &Service) -> Result<(), String> {
    Err("albatross-17 is refused".to_owned())
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn check_fails(
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        env(DB_PASSWORD = "albatross-17"),
        ready(with = confides, failures = 1, interval = "10ms"),
    )]
    db: Service,
) {
    unreachable!("{db:?}");
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn setup_fails(
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        env(DB_PASSWORD = "albatross-17"),
        setup(with = confides),
        ready(running),
    )]
    db: Service,
) {
    unreachable!("{db:?}");
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn probe_fails(
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        env(DB_PASSWORD = "albatross-17"),
        ready(
            image = "debian:bookworm-slim",
            run = "sh -c 'echo probed as $1; exit 3' probe albatross-17",
            failures = 1,
            interval = "10ms",
        )
    )]
    db: Service,
) {
    unreachable!("{db:?}");
}

/// Has passwords that are words of our own sentences.
#[derive(Composition)]
struct Wordy {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sh", "-c", "echo as $DB_PASSWORD; exec sleep infinity"],
        env(DB_PASSWORD = "port", OTHER_PASSWORD = "service", THIRD_PASSWORD = "sea"),
        port = 3306,
        ready(tcp, timeout = "1s"),
    )]
    db: Service,
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn words_are_passwords(wordy: Wordy) {
    unreachable!("{:?}", wordy.db);
}

/// Has its image's name as its password.
#[derive(Composition)]
struct Namesake {
    #[service(
        image = "seatrial.invalid/postgres:17",
        env(POSTGRES_PASSWORD = "postgres", OTHER_PASSWORD = "sea"),
        ready(running)
    )]
    db: Service,
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn name_is_password(namesake: Namesake) {
    unreachable!("{:?}", namesake.db);
}

#[test]
fn words_of_ours_are_told_whole() {
    let ended = |case: &str| {
        let mut run = Run::direct("");
        run.command.arg(format!("secrets::{case}"));
        run.end().exited(101)
    };
    ended("words_are_passwords")
        .said("service `db` of `Wordy`: the service was not ready within ")
        .said("waited for: tcp on port 3306: ")
        .said("as [hidden]");
    ended("name_is_password")
        .said("cannot obtain the image `seatrial.invalid/postgres:17`")
        .said("build = \"tests/images/postgres\"")
        .said("seatrial.toml");
}

#[test]
fn no_secret_is_told() {
    rounds(|| {
        for (case, said) in [
            // What its check said of it is told, too.
            ("is_not_ready", "exit code 1: -p"),
            ("ends", "the container exited with code 4"),
            ("does_not_start", "service `app` of `Misspelled`:"),
            ("is_not_set_up", "seeding as [hidden]"),
            ("check_fails", "[hidden] is refused"),
            ("setup_fails", "[hidden] is refused"),
            ("probe_fails", "probed as [hidden]"),
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
