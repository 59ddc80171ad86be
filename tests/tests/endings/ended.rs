//! What a child was, once it has ended and nothing is left of it.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use serde_json::Value;

use crate::run::Directory;

/// A child that has ended, with nothing left of it.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
    /// What its case recorded, if it came so far.
    pub(crate) record: Option<Value>,
    pub(crate) _directory: Directory,
}

impl Ended {
    /// It exited with this code.
    #[track_caller]
    pub(crate) fn exited(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.output);
        self
    }

    /// A signal has ended it.
    #[track_caller]
    pub(crate) fn was_ended_by(self, signal: libc::c_int) -> Self {
        assert_eq!(self.status.signal(), Some(signal), "{}", self.output);
        self
    }

    #[track_caller]
    pub(crate) fn said(self, text: &str) -> Self {
        assert!(
            self.output.contains(text),
            "`{text}` is not in:\n{}",
            self.output
        );
        self
    }

    #[track_caller]
    pub(crate) fn said_once(self, text: &str) -> Self {
        assert_eq!(
            self.output.matches(text).count(),
            1,
            "`{text}` in:\n{}",
            self.output
        );
        self
    }

    #[track_caller]
    pub(crate) fn did_not_say(self, text: &str) -> Self {
        assert!(
            !self.output.contains(text),
            "`{text}` is in:\n{}",
            self.output
        );
        self
    }

    /// Whether its services were there.
    pub(crate) fn has_recorded(&self) -> bool {
        self.record.is_some()
    }

    /// Its services were there: with the volumes that are gone now, and reachable from this machine alone.
    #[track_caller]
    pub(crate) fn had_services(self) -> Self {
        let record = self.record.as_ref().expect("a record");
        // Two anonymous ones; `data` twice; `scratch`.
        assert_eq!(strings(&record["volumes"]).len(), 5, "{record:#}");
        // Those that have joined a network namespace publish nothing themselves.
        let published = strings(&record["addresses"]);
        let is_local = |address: &String| address == "127.0.0.1";
        assert!(published.iter().all(is_local), "{record:#}");
        self
    }
}

/// The texts in a list.
pub(crate) fn strings(list: &Value) -> Vec<String> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
