//! What the contenders leave on the engine between two measurements, and after the last: nobody's removals are in the
//! times of the next.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::api::Api;
use crate::leftovers::{Kind, labelled_with, name};

/// The labels of what Seatrial starts, and of what the others do.
const OF_SEATRIAL: &str = "dev.seatrial.run";
const OF_OTHERS: &str = "dev.seatrial.test=bench";

/// How long removals may take: far longer than they do.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long a network is waited for, which some engines never remove.
const OF_NETWORKS: Duration = Duration::from_secs(5);

const PACE: Duration = Duration::from_millis(20);

/// The engine as it was before the first measurement.
pub(super) struct Ground<'a> {
    api: &'a Api,
    before: BTreeSet<String>,
}

impl<'a> Ground<'a> {
    /// Remembers what is there now.
    ///
    /// # Errors
    ///
    /// Where the engine does not answer.
    pub(super) fn before(api: &'a Api) -> Result<Self> {
        let mut ground = Self {
            api,
            before: BTreeSet::new(),
        };
        let there = ground.added()?;
        ground.before = there.into_iter().map(|(_, id, _)| id).collect();
        Ok(ground)
    }

    /// Waits until everything that was started since is gone.
    ///
    /// # Errors
    ///
    /// Where a container stays, or the engine does not answer.
    pub(super) fn settle(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let added = self.added()?;
            let is_container = |(kind, ..): &(Kind, String, String)| *kind == Kind::Container;
            if added.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > OF_NETWORKS && !added.iter().any(is_container) {
                // The leftovers at the end tell whose fault they are.
                self.before.extend(added.into_iter().map(|(_, id, _)| id));
                return Ok(());
            }
            if begun.elapsed() > DEADLINE {
                let names: Vec<String> = added.into_iter().map(|(.., name)| name).collect();
                bail!(
                    "after {DEADLINE:?} the engine still has {}",
                    names.join(", ")
                );
            }
            thread::sleep(PACE);
        }
    }

    /// Removes the containers that contenders without a supervisor have left, and returns their names.
    ///
    /// # Errors
    ///
    /// Where the engine does not answer, or refuses.
    pub(super) fn clear(&self) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        for (kind, id, item) in labelled_with(self.api, OF_OTHERS)? {
            if kind != Kind::Container || self.before.contains(&id) {
                continue;
            }
            let path = format!("/containers/{id}?force=1&v=1");
            let (status, body) = self.api.delete(&path)?;
            if !matches!(status, 200..300 | 404 | 409) {
                bail!(
                    "the engine answers DELETE {path} with {status}: {}",
                    body.trim()
                );
            }
            removed.push(name(&item).to_owned());
        }
        Ok(removed)
    }

    /// What is there and was not: its kind, its id and its name.
    fn added(&self) -> Result<Vec<(Kind, String, String)>> {
        let mut added = Vec::new();
        for label in [OF_SEATRIAL, OF_OTHERS] {
            for (kind, id, item) in labelled_with(self.api, label)? {
                if !self.before.contains(&id) {
                    let name = format!("{kind} {}", name(&item));
                    added.push((kind, id, name));
                }
            }
        }
        Ok(added)
    }
}
