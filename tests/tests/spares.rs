//! What is brought up while a test runs, for the next test that launches the same: what that test finds, and what is told
//! of it.
//!
//! The ignored tests run in a child, one after another, in a run of their own.

use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;
use seatrial::{Composition, Service};
use seatrial_tests::events::Events;
use seatrial_tests::waiting::comes_about;
use seatrial_tests::{child, engine};

/// How long anything may take before the test is given up: far more than it does.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Composition)]
struct Shop {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo open; exec sleep infinity"],
        ready(log = "open"),
        setup(exec = "echo by command >> /setups"),
        setup(with = stock),
    )]
    db: Service,

    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo open; exec sleep infinity"],
        ready(log = "open"),
        needs(db),
    )]
    app: Service,
}

/// The databases that were set up in this process, in order.
static STOCKED: Mutex<Vec<String>> = Mutex::new(Vec::new());

async fn stock(db: &Service) -> Result<()> {
    STOCKED
        .lock()
        .expect("nobody panicked")
        .push(db.id().to_owned());
    let command = ["sh", "-c", "echo by function >> /setups"];
    db.exec(command).await?;
    Ok(())
}

/// Waits for a condition.
#[track_caller]
fn until<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    comes_about(PATIENCE, condition).unwrap_or_else(|| panic!("waited too long: {what}"))
}

/// The containers of a service that were started so far, as this process's events have it. The file is the parent's.
fn started(service: &str) -> Vec<String> {
    let path = std::env::var("SEATRIAL_EVENTS").expect("the parent asks for events");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let events: Vec<serde_json::Value> = lines.collect();
    let of_service = || events.iter().filter(|it| it["service"] == service);
    let containers = of_service().filter(|it| it["event"] == "created");
    let is_started = |created: &&serde_json::Value| {
        let mut others = of_service();
        others.any(|it| it["event"] == "started" && it["instance"] == created["instance"])
    };
    let containers = containers.filter(is_started);
    let ids = containers.filter_map(|created| created["details"]["container"].as_str());
    ids.map(str::to_owned).collect()
}

/// Tests of a suite, in the order of their names.
mod suite {
    use super::*;

    fn is_set_up(shop: &Shop) {
        let setups = shop.db.read("/setups").wait().expect("it is there");
        let setups = String::from_utf8(setups).expect("text");
        assert_eq!(setups, "by command\nby function\n", "each once");
        let stocked = STOCKED.lock().expect("nobody panicked");
        assert_eq!(stocked.last().map(String::as_str), Some(shop.db.id()));
    }

    #[seatrial::test]
    #[ignore = "run by `a_later_test_finds_its_services_started`"]
    fn a(shop: Shop) {
        is_set_up(&shop);
    }

    #[seatrial::test]
    #[ignore = "run by `a_later_test_finds_its_services_started`"]
    fn b(shop: Shop) {
        is_set_up(&shop);
        until("one is brought up ahead", || {
            (started("db").len() == 3).then_some(())
        });
    }

    #[seatrial::test]
    #[ignore = "run by `a_later_test_finds_its_services_started`"]
    fn c() {
        let before = started("db");
        let stocked = STOCKED.lock().expect("nobody panicked").len();
        let shop = Shop::launch().wait().expect("it runs");
        is_set_up(&shop);
        assert!(before.contains(&shop.db.id().to_owned()), "{before:?}");
        let now = STOCKED.lock().expect("nobody panicked").clone();
        assert_eq!(now.len(), stocked + 1, "{now:?}");
        let label = engine::label(shop.db.id(), "dev.seatrial.test");
        assert_eq!(label.as_deref(), Some(""), "it was nobody's");
    }
}

#[test]
fn a_later_test_finds_its_services_started() {
    let events = Events::new("spares");
    let run = Run::new("spares");
    let mut command = run.command("suite::");
    command.env("SEATRIAL_EVENTS", events.path());
    command.env("SEATRIAL_AHEAD", "2");
    let verdict = child::run(command.env("SEATRIAL_REPORT", "1").arg("--nocapture"));
    assert!(verdict.passed, "{verdict:#?}");
    let said = [&*verdict.stdout, &*verdict.stderr].concat();
    let told = said
        .matches("debian:bookworm-slim  was started ahead, ")
        .count();
    assert_eq!(told, 2, "of both services of one launch: {said}");
    assert_eq!(events.count("db", "taken"), 1);
    assert_eq!(events.count("app", "taken"), 1);
    run.until_nothing_is_left();
    let containers = |event| {
        let mut containers = events.details("db", event, "container");
        containers.sort();
        containers
    };
    assert_eq!(containers("created"), containers("removed"));
}

/// A run of its own, of which nothing is left.
struct Run(String);

impl Run {
    fn new(name: &str) -> Self {
        Self(format!("{name}-{}", std::process::id()))
    }

    /// A command that runs these tests in the run, one after another.
    fn command(&self, filter: &str) -> Command {
        let mut command = child::tests(filter);
        child::leave_run(&mut command);
        command.arg("--test-threads=1");
        command.env("SEATRIAL_RUN_ID", &self.0);
        command
    }

    #[track_caller]
    fn until_nothing_is_left(&self) {
        until("something is left", || {
            engine::of(&self.0).is_empty().then_some(())
        });
    }
}
