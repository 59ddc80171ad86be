//! The record of events, for tests and tools that ask for it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use super::identity::now_micros;
use crate::protocol::{Event, InstanceId};
use crate::terminal;

/// The destination of events: nothing, or a file with one JSON object per line. Several processes may append to one
/// file.
#[derive(Debug)]
pub(super) struct Events {
    run: String,
    file: Option<Mutex<std::fs::File>>,
}

impl Events {
    pub(super) fn new(run: String, path: Option<&PathBuf>) -> Self {
        let file = path.and_then(|path| {
            let opened = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path);
            opened
                .inspect_err(|error| {
                    terminal::warn(&format!(
                        "cannot write events to `{}`: {error}",
                        path.display()
                    ));
                })
                .ok()
        });
        Self {
            run,
            file: file.map(Mutex::new),
        }
    }

    pub(super) fn record(
        &self,
        composition: &str,
        service: &str,
        instance: InstanceId,
        event: &str,
        details: &[(&str, &str)],
    ) {
        let Some(file) = &self.file else { return };
        let event = Event {
            at: now_micros(),
            run: self.run.clone(),
            composition: composition.to_owned(),
            service: service.to_owned(),
            instance,
            event: event.to_owned(),
            details: details
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        };
        if let (Ok(mut line), Ok(mut file)) = (serde_json::to_vec(&event), file.lock()) {
            line.push(b'\n');
            // One write per line, so that lines of other processes do not come in between.
            let _ = file.write_all(&line);
        }
    }
}
