//! //! The order of events in a run: read from its record, and forced by gates that services wait for.

use std::path::Path;
use std::time::Duration;

use crate::config::Config;
use crate::engine::ExecSpec;
use crate::engine::discovery::{self, EngineChoice};
use crate::protocol::Event;

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

/// Makes the [`GATE`] of each service of `held`, which have been started.
pub(super) async fn open_gates(so_far: &Events, held: &[&str]) {
    // The supervisor does not act on a service before it has answered the launch.
    let config = Config::of_process(&crate::workspace::of_process()).expect("the configuration");
    let choice = EngineChoice::from(config.engine);
    let engine = discovery::connect(&choice, std::env::vars().collect())
        .await
        .expect("an engine");
    let exec = ExecSpec {
        command: ["touch", GATE].map(str::to_owned).to_vec(),
        ..ExecSpec::default()
    };
    for service in held {
        let made = engine.exec(so_far.container(service), &exec).await;
        assert_eq!(made.expect("it runs").code, 0);
    }
}
