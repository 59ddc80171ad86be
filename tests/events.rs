//! What happened in a child process, as `SEATRIAL_EVENTS` has it written down.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The file that events are written to; gone when dropped.
#[derive(Debug)]
pub struct Events(PathBuf);

impl Events {
    /// A file of this process's own.
    pub fn new(name: &str) -> Self {
        let file = format!("seatrial-events-{name}-{}.jsonl", std::process::id());
        Self(std::env::temp_dir().join(file))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Services and what happened to them, in order.
    ///
    /// # Panics
    ///
    /// Where nothing was written, or no events.
    pub fn all(&self) -> Vec<(String, String)> {
        let lines = self.text();
        lines
            .lines()
            .map(|line| (word(line, "service"), word(line, "event")))
            .collect()
    }

    /// The runs that wrote them.
    ///
    /// # Panics
    ///
    /// Where nothing was written, or no events.
    pub fn runs(&self) -> BTreeSet<String> {
        let lines = self.text();
        lines.lines().map(|line| word(line, "run")).collect()
    }

    /// The detail `key` of each `event` that happened to `service`, in order.
    ///
    /// # Panics
    ///
    /// Where nothing was written, or such an event has no such detail.
    pub fn details(&self, service: &str, event: &str, key: &str) -> Vec<String> {
        let lines = self.text();
        let events = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        let these = events.filter(|it: &Value| it["service"] == service && it["event"] == event);
        these
            .map(|event| match event["details"][key].as_str() {
                Some(detail) => detail.to_owned(),
                None => panic!("no `{key}` in {event}"),
            })
            .collect()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.0).expect("events were written")
    }

    /// How often `event` happened to `service`.
    pub fn count(&self, service: &str, event: &str) -> usize {
        let all = self.all();
        let these = all
            .iter()
            .filter(|(who, what)| who == service && what == event);
        these.count()
    }

    /// Which place in the order `event` of `service` has.
    ///
    /// # Panics
    ///
    /// Where it did not happen.
    pub fn place(&self, service: &str, event: &str) -> usize {
        let all = self.all();
        all.iter()
            .position(|(who, what)| who == service && what == event)
            .unwrap_or_else(|| panic!("no `{event}` of `{service}` in {all:?}"))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The value of a key in an event, where that is a text.
fn word(line: &str, key: &str) -> String {
    let (_, rest) = line
        .split_once(&format!("\"{key}\":\""))
        .expect("a known key");
    rest.split('"').next().unwrap_or_default().to_owned()
}
