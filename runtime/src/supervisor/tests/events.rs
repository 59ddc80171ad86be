//! The order of events in a run: read from its record, and forced by gates that services wait for.

use std::path::Path;
use std::time::Duration;

use super::{Run, exec_call, lasting, log, script};
use crate::config::Config;
use crate::engine::discovery::{self, EngineChoice};
use crate::engine::{Engine, ExecSpec};
use crate::protocol::{Action, Event, InstanceId, Reply};

/// The events of a run in their order.
#[derive(Debug)]
pub(super) struct Events(Vec<Event>);

impl Events {
    pub(super) fn so_far(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let lines = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let events = lines.map(|line| serde_json::from_str(line).expect("an event"));
        Self(events.collect())
    }

    /// The position of an event. If a service has several, the position of the first.
    pub(super) fn find(&self, service: &str, event: &str) -> Option<usize> {
        self.0
            .iter()
            .position(|it| it.service == service && it.event == event)
    }

    /// The position of an event that has happened.
    pub(super) fn at(&self, service: &str, event: &str) -> usize {
        self.find(service, event)
            .unwrap_or_else(|| panic!("no `{event}` of `{service}`: {self:#?}"))
    }

    /// The detail `key` of each `event` of a service, in order.
    pub(super) fn details(&self, service: &str, event: &str, key: &str) -> Vec<&str> {
        let these = self.0.iter();
        let these = these.filter(|it| it.service == service && it.event == event);
        these.map(|event| &*event.details[key]).collect()
    }

    /// The instances of a service with such an event, in order.
    pub(super) fn instances(&self, service: &str, event: &str) -> Vec<InstanceId> {
        let these = self.0.iter();
        let these = these.filter(|it| it.service == service && it.event == event);
        these.map(|event| event.instance).collect()
    }

    /// The compositions of each `event` of an instance, in order.
    pub(super) fn compositions(&self, instance: InstanceId, event: &str) -> Vec<&str> {
        let these = self.0.iter();
        let these = these.filter(|it| it.instance == instance && it.event == event);
        these.map(|event| &*event.composition).collect()
    }

    fn container(&self, service: &str) -> &str {
        &self.0[self.at(service, "created")].details["container"]
    }
}

/// The file that a held service waits for.
pub(super) const GATE: &str = "/gate";

/// Waits until all of `expected` has happened and the services of `held` have been started.
pub(super) async fn until_held(events: &Path, held: &[&str], expected: &[(&str, &str)]) -> Events {
    let started = held.iter().map(|service| (*service, "started"));
    let expected: Vec<_> = expected.iter().copied().chain(started).collect();
    loop {
        let so_far = Events::so_far(events);
        let happened = |(service, event): &(&str, &str)| so_far.find(service, event).is_some();
        if expected.iter().all(happened) {
            return so_far;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The engine of the tests.
pub(super) async fn engine() -> Engine {
    let config = Config::of_process(&crate::workspace::of_process()).expect("the configuration");
    let choice = EngineChoice::from(config.engine);
    let engine = discovery::connect(&choice, std::env::vars().collect()).await;
    engine.expect("an engine")
}

/// Makes the [`GATE`] of each service of `held`, which have been started.
pub(super) async fn open_gates(so_far: &Events, held: &[&str]) {
    // The supervisor does not act on a service before it has answered the launch.
    let engine = engine().await;
    let exec = ExecSpec {
        command: ["touch", GATE].map(str::to_owned).to_vec(),
        ..ExecSpec::default()
    };
    for service in held {
        let made = engine.exec(so_far.container(service), &exec).await;
        assert_eq!(made.expect("it runs").code, 0);
    }
}

/// Ends of every kind, with the exit code that the engine reports, and removals.
#[tokio::test]
async fn engine_every_end_and_every_removal_is_recorded() {
    let mut run = Run::new("ends");
    let ends = "echo up; until test -e /end; do sleep 0.02; done; exit 3";
    let mut db = script("db", ends, &[]);
    db.ready = vec![log("up")];
    db.stop_signal = Some("SIGKILL".to_owned());
    let launched = run.launch(1, vec![db, lasting("beside", &[])]).await;
    let launched = launched.expect("both are ready");
    let stop = Action::Stop { grace_period: None };
    for action in [stop, Action::Start] {
        let done = run.act(&launched[0], action).await;
        assert_eq!(done, Ok(Reply::Done));
    }
    // It may end before the command in it does.
    let command = exec_call(["touch", "/end"].map(str::to_owned).to_vec());
    let _ = run.act(&launched[0], command).await;
    while Events::so_far(&run.events)
        .details("db", "exited", "code")
        .len()
        < 2
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let events = run.close().await;
    assert_eq!(events.details("db", "exited", "code"), ["137", "3"]);
    assert!(
        events.at("db", "exited") < events.at("db", "stopped"),
        "{events:#?}"
    );
    // What is removed while it runs has not ended before.
    assert_eq!(events.find("beside", "exited"), None, "{events:#?}");
    for service in &launched {
        let container = [&*service.container];
        for event in ["created", "removed"] {
            let containers = events.details(&service.field, event, "container");
            assert_eq!(containers, container, "{events:#?}");
        }
    }
}

/// A container that ends before it is ready has ended before its service has failed, and is removed.
#[tokio::test]
async fn engine_the_end_of_a_service_that_does_not_come_up_is_recorded() {
    let mut run = Run::new("fails");
    let mut db = script("db", "exit 5", &[]);
    db.ready = vec![log("up")];
    let launched = run.launch(1, vec![db]).await;
    launched.expect_err("it ends");
    let events = run.close().await;
    assert_eq!(events.details("db", "exited", "code"), ["5"]);
    assert!(
        events.at("db", "exited") < events.at("db", "failed"),
        "{events:#?}"
    );
    assert!(events.find("db", "removed").is_some(), "{events:#?}");
}
