//! What exists of a round at a moment: processes, what carries its label on the engine, and its directory; and waiting
//! until nothing does.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;

use super::round::{PACE, Round};
use crate::api::Api;
use crate::leftovers::networks::{self, Verdict};
use crate::leftovers::{self, Kind};

/// How long what has to go is waited for, to tell what goes late from what stays.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(60);

/// What became of things that have to go.
pub(super) struct Gone {
    pub(super) took: Duration,
    /// The networks that the engine does not remove, and that it says nothing is attached to.
    pub(super) stuck: u32,
    /// Something is there, and nobody who would remove it: the supervisor was killed, or whoever was about to start one.
    /// The next run's sweeps it.
    pub(super) unswept: bool,
    /// What was there after the time that is allowed, and how long it stayed.
    pub(super) late: Option<String>,
}

/// Something that exists of a round.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pub(super) kind: Kind,
    pub(super) id: String,
    description: String,
    /// What the engine says of it.
    item: Value,
}

impl Left {
    /// The value of one of our labels.
    pub(super) fn label(&self, name: &str) -> &str {
        let label = &self.item["Labels"][format!("dev.seatrial.{name}")];
        label.as_str().unwrap_or_default()
    }

    /// The volumes that a container uses.
    pub(super) fn volumes(&self) -> impl Iterator<Item = &str> {
        let mounts = self.item["Mounts"].as_array().into_iter().flatten();
        mounts.filter_map(|mount| mount["Name"].as_str())
    }
}

impl Round {
    /// Waits until `left` finds nothing, or nobody is left who would remove it, with the time that this takes. What is
    /// there for longer than is allowed is late.
    pub(super) fn gone(
        &self,
        api: &Api,
        since: Instant,
        allowed: Duration,
        left: impl Fn() -> Result<Vec<Left>>,
    ) -> Result<Gone> {
        self.gone_by(api, since, allowed, left, || self.processes().is_empty())
    }

    /// The same where the next run, which is under way, removes it.
    pub(super) fn gone_by_next(
        &self,
        api: &Api,
        since: Instant,
        allowed: Duration,
        left: impl Fn() -> Result<Vec<Left>>,
    ) -> Result<Gone> {
        self.gone_by(api, since, allowed, left, || false)
    }

    fn gone_by(
        &self,
        api: &Api,
        since: Instant,
        allowed: Duration,
        left: impl Fn() -> Result<Vec<Left>>,
        is_abandoned: impl Fn() -> bool,
    ) -> Result<Gone> {
        let mut late: Option<String> = None;
        let mut stuck = 0;
        loop {
            // First: where there is nobody, nothing goes.
            let is_abandoned = is_abandoned();
            let now = left()?;
            let took = since.elapsed();
            let stays = |left: &Left| left.kind != Kind::Network;
            let unswept = is_abandoned && now.iter().any(stays);
            let gone = |stuck, late| Gone {
                took,
                stuck,
                unswept,
                late,
            };
            if now.is_empty() || unswept {
                let late = late.map(|late| format!("{late} (gone after {took:.1?})"));
                return Ok(gone(stuck, late));
            }
            // Once there is nobody who could remove it, it is found out why a network is there.
            if is_abandoned && now.iter().all(|left| left.kind == Kind::Network) {
                for network in left()? {
                    match networks::judge(api, &network.id)? {
                        Verdict::Gone => {}
                        Verdict::EngineDefect => stuck += 1,
                        Verdict::Left(state) => {
                            let text = format!("network {}: {state}", network.description);
                            late =
                                Some(late.map_or(text.clone(), |late| format!("{late}, {text}")));
                        }
                    }
                }
                return Ok(gone(stuck, late));
            }
            if took > allowed && late.is_none() {
                late = Some(describe(&now));
            }
            if took > GIVEN_UP_AFTER {
                let late = Some(format!("still there after {took:.0?}: {}", describe(&now)));
                return Ok(gone(stuck, late));
            }
            thread::sleep(PACE);
        }
    }

    /// All that exists of the round.
    pub(super) fn left(&self, api: &Api) -> Result<Vec<Left>> {
        let plain = |kind, description| Left {
            kind,
            description,
            id: String::new(),
            item: Value::Null,
        };
        // First of all: where there is no process, nothing more is created.
        let processes = self.processes().into_iter();
        let mut all: Vec<Left> = processes
            .map(|process| plain(Kind::Process, process.arguments.join(" ")))
            .collect();
        all.extend(self.labelled(api)?);
        for entry in fs::read_dir(self.runtime())? {
            all.push(plain(Kind::File, entry?.path().display().to_string()));
        }
        Ok(all)
    }

    /// What is on the engine, and which of these directories there are.
    pub(super) fn left_on_engine_and_in(
        &self,
        api: &Api,
        directories: &[PathBuf],
    ) -> Result<Vec<Left>> {
        let mut all = self.labelled(api)?;
        let there = directories.iter().filter(|directory| directory.exists());
        all.extend(there.map(|directory| Left {
            kind: Kind::File,
            description: directory.display().to_string(),
            id: String::new(),
            item: Value::Null,
        }));
        Ok(all)
    }

    /// What carries the round's label on the engine.
    pub(super) fn labelled(&self, api: &Api) -> Result<Vec<Left>> {
        let label = format!("dev.seatrial.run={}", self.id);
        let all = leftovers::labelled_with(api, &label)?.into_iter();
        let left = all.map(|(kind, id, item)| Left {
            kind,
            id,
            description: leftovers::name(&item).to_owned(),
            item,
        });
        Ok(left.collect())
    }
}

fn describe(all: &[Left]) -> String {
    let all: Vec<String> = all
        .iter()
        .map(|it| format!("{} {}", it.kind, it.description))
        .collect();
    all.join(", ")
}
