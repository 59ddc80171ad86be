//! Variables of the environment in a declaration, `{$NAME:-default}`: what services are made of, who shares them, and what
//! is said where one cannot be used.
//!
//! The ignored tests run in children, whose environment the others choose.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Stdio};

use seatrial::{Composition, ErrorKind, Service};
use seatrial_tests::child;

#[derive(Composition)]
#[composition(scope = run)]
struct Tide {
    #[service(
        image = "{$TIDE_IMAGE:-debian:bookworm-slim}",
        entrypoint = "{$TIDE_SHELL:-/bin/sh} -c",
        command = ["echo level={$TIDE_LEVEL:-high}; exec sleep infinity"],
        env(LEVEL = "{$TIDE_LEVEL:-high}"),
        files("/level" = "{$TIDE_LEVEL:-high}\n"),
        ready(exec = "test {$TIDE_LEVEL:-high} = \"$LEVEL\""),
        setup(exec = "echo {$TIDE_LEVEL:-high} >/set-up"),
    )]
    db: Service,
}

impl Tide {
    /// Its container, what it was given, and whether its image has Redis.
    fn seen(&self) -> String {
        let look = "cat /level /set-up; command -v redis-server || echo none";
        let output = self.db.exec(["sh", "-c", look]).wait().expect("it runs");
        let words: Vec<&str> = output.stdout.split_whitespace().collect();
        format!("{} {}", self.db.id(), words.join(" "))
    }
}

/// Stands before what a child has seen.
const SEEN: &str = "has seen: ";

#[seatrial::test]
#[ignore = "run by `processes_of_a_run_share_what_has_the_same_values`"]
fn sees(tide: Tide) {
    println!("{SEEN}{}", tide.seen());
    let mut nothing = Vec::new();
    let ended = std::io::stdin().read_to_end(&mut nothing);
    ended.expect("standard input ends");
}

/// A child that has its services until it is told to end.
struct Holder {
    child: Child,
    output: BufReader<ChildStdout>,
    container: String,
    seen: String,
}

impl Holder {
    #[track_caller]
    fn new(run: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = child::test("sees");
        child::leave_run(&mut command);
        command
            .arg("--nocapture")
            .env("SEATRIAL_RUN_ID", run)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("a child process");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut said = String::new();
        let seen = loop {
            let mut line = String::new();
            let length = output.read_line(&mut line).expect("it is text");
            assert_ne!(length, 0, "it has seen nothing:\n{said}");
            if let Some((_, seen)) = line.split_once(SEEN) {
                break seen.trim().to_owned();
            }
            said.push_str(&line);
        };
        let (container, seen) = seen.split_once(' ').expect("an id");
        Self {
            child,
            output,
            container: container.to_owned(),
            seen: seen.to_owned(),
        }
    }

    #[track_caller]
    fn end(mut self) {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("it is text");
        let status = self.child.wait().expect("its status");
        assert!(status.success(), "{rest}");
    }
}

#[test]
fn processes_of_a_run_share_what_has_the_same_values() {
    let run = format!("tide-{}", std::process::id());
    let default = Holder::new(&run, &[]);
    assert_eq!(default.seen, "high high none");
    let written_out = [("TIDE_IMAGE", "debian:bookworm-slim"), ("TIDE_LEVEL", "")];
    let same = Holder::new(&run, &written_out);
    assert_eq!(same.container, default.container);
    let of_another_image = Holder::new(&run, &[("TIDE_IMAGE", "redis:7")]);
    assert_ne!(of_another_image.container, default.container);
    let seen = &of_another_image.seen;
    assert!(
        seen.starts_with("high high /") && seen.ends_with("/redis-server"),
        "{seen}"
    );
    let of_another_level = Holder::new(&run, &[("TIDE_LEVEL", "low")]);
    assert_ne!(of_another_level.container, default.container);
    assert_eq!(of_another_level.seen, "low low none");
    for holder in [default, same, of_another_image, of_another_level] {
        holder.end();
    }
}

/// Everything beside a service's own image.
#[derive(Composition)]
struct Beside {
    #[service(
        bin = "station",
        base = "debian:{$TIDE_RELEASE:-bookworm}-slim",
        env(PORT = 4000),
        command = "serve",
        port = 4000,
        ready(
            tcp,
            image = "{$TIDE_PROBE:-debian:bookworm-slim}",
            run = "test -e {$TIDE_LOOK:-/etc/debian_version}"
        ),
        setup(
            image = "{$TIDE_SETUP:-debian:bookworm-slim}",
            run = "test \"$A\" = {$TIDE_LEVEL:-high}",
            env(A = "{$TIDE_LEVEL:-high}"),
        )
    )]
    station: Service,
}

#[seatrial::test]
fn images_of_binaries_probes_and_setups_take_variables(beside: Beside) {
    let release = beside.station.exec(["cat", "/etc/os-release"]).wait();
    let release = release.expect("it runs").stdout;
    assert!(release.contains("bookworm"), "{release}");
}

#[test]
#[ignore = "run by `a_value_that_does_not_fit_is_told`"]
fn asks_for_beside() {
    let error = Beside::launch().wait().map(drop).expect_err("it cannot be");
    println!("{error}");
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[test]
fn a_value_that_does_not_fit_is_told() {
    for (variable, place, image) in [
        ("TIDE_RELEASE", "base", "debian:book worm-slim"),
        ("TIDE_PROBE", "ready(image)", "book worm"),
        ("TIDE_SETUP", "setup(image)", "book worm"),
    ] {
        let mut command = child::test("asks_for_beside");
        command.arg("--nocapture").env(variable, "book worm");
        let verdict = child::run(&mut command);
        assert!(verdict.passed, "{verdict:#?}");
        for part in [
            format!(
                "service `station` of `Beside`: `{place}` is not valid with the value of the environment variable `{variable}`"
            ),
            format!("`{image}`"),
            format!("help: set `{variable}` to a value that fits there"),
        ] {
            assert!(verdict.stdout.contains(&part), "{part}: {verdict:#?}");
        }
    }
}

#[derive(Composition)]
struct Unset {
    #[service(image = "postgres:{$TIDE_NEVER_SET}", port = 5432)]
    db: Service,
    #[service(
        image = "debian:bookworm-slim",
        env(LEVEL = "{$TIDE_NOT_SET_EITHER}"),
        needs(db),
        ready(running)
    )]
    app: Service,
}

#[test]
fn all_that_is_not_set_is_told_before_anything_starts() {
    let error = Unset::launch().wait().map(drop).expect_err("it is not set");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.service(), Some("db"));
    assert_eq!(
        error.to_string(),
        "service `db` of `Unset`: `image` reads the environment variable `TIDE_NEVER_SET`, which is not set\n\
         \x20 help: set `TIDE_NEVER_SET` where the tests are started, or declare a default: `{$TIDE_NEVER_SET:-..}`\n\
         \x20 failed too: service `app`: `env(LEVEL)` reads the environment variable `TIDE_NOT_SET_EITHER`, which is not set; \
         set `TIDE_NOT_SET_EITHER` where the tests are started, or declare a default: `{$TIDE_NOT_SET_EITHER:-..}`"
    );
}

#[derive(Composition)]
struct Secret {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo logged in with {$TIDE_PASSWORD:-cardamom5}; exit 3"],
        ready(log = "never"),
    )]
    db: Service,
}

#[test]
#[ignore = "run by `the_value_of_a_secret_variable_is_hidden`"]
fn logs_a_secret() {
    let error = Secret::launch().wait().map(drop).expect_err("it ends");
    println!("{error}\n{error:?}");
}

#[test]
fn the_value_of_a_secret_variable_is_hidden() {
    for (secret, set) in [("cardamom5", None), ("turmeric3", Some("turmeric3"))] {
        let mut command = child::test("logs_a_secret");
        command.arg("--nocapture");
        if let Some(set) = set {
            command.env("TIDE_PASSWORD", set);
        }
        let verdict = child::run(&mut command);
        let said = format!("{}{}", verdict.stdout, verdict.stderr);
        assert!(said.contains("logged in with [hidden]"), "{said}");
        assert!(!said.contains(secret), "{said}");
    }
}
