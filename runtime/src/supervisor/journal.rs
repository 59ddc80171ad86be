//! The journal of a supervisor: what it has on which engine, written down before it is created.
//!
//! Others read it after the supervisor has died. The labels on an engine tell what belongs to the dead. Only the
//! journal tells which engines to search, and which creations were under way. It has one JSON object per line, and an
//! incomplete line means nothing. It survives the death of the process, but not that of the machine. The labels survive
//! both.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::private_directory::{idle, open_private};
use crate::run::Owner;

/// The size in bytes from which the file is rewritten once its contents no longer matter.
const COMPACTED_FROM: u64 = 64 * 1024;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    /// The owner of the lines from here on.
    Owner(String),
    /// The address of the engine for the things that follow.
    Engine(String),
    /// The engine is asked to create this: `container NAME`, `network NAME` or `volume NAME`.
    Creating(String),
    /// The thing exists.
    Created(String),
    /// The thing no longer exists.
    Removed(String),
}

/// What a supervisor has according to its journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Belongings {
    pub(crate) owner: Option<Owner>,
    /// Addresses of engines.
    pub(crate) engines: BTreeSet<String>,
    /// Whether each thing exists. Otherwise the engine was asked to create it, and the outcome is unknown.
    pub(crate) things: BTreeMap<String, bool>,
}

/// A journal that is being written. It does nothing for a supervisor without a directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal(Option<Arc<Mutex<Written>>>);

#[derive(Debug)]
struct Written {
    file: File,
    size: u64,
    own: Belongings,
    /// What earlier supervisors in the same directory have left.
    earlier: Vec<Belongings>,
    /// How long nothing had been written when this journal began.
    idle: Duration,
}

impl Journal {
    /// Continues the file at `path` as the journal of `owner`. A missing file is created.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or written.
    pub(crate) fn open(path: &Path, owner: Owner) -> io::Result<Self> {
        let mut file = open_private(path, true)?;
        let idle = idle(&file.metadata()?).unwrap_or_default();
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let mut written = Written {
            file,
            size: text.len() as u64,
            own: Belongings {
                owner: Some(owner),
                ..Belongings::default()
            },
            earlier: parse(&text),
            idle,
        };
        // An incomplete last line must not spoil the next one.
        written.rewrite()?;
        Ok(Self(Some(Arc::new(Mutex::new(written)))))
    }

    /// Notes an engine.
    pub(super) fn engine(&self, address: &str) {
        self.add(Entry::Engine(address.to_owned()));
    }

    /// Notes that a thing is about to be created.
    pub(super) fn creating(&self, thing: &str) {
        self.add(Entry::Creating(thing.to_owned()));
    }

    /// Notes that a thing exists.
    pub(super) fn created(&self, thing: &str) {
        self.add(Entry::Created(thing.to_owned()));
    }

    /// Notes that a thing no longer exists.
    pub(super) fn removed(&self, thing: &str) {
        self.add(Entry::Removed(thing.to_owned()));
    }

    /// Whether the journal tells its next reader that this may exist.
    pub(super) fn has(&self, thing: &str) -> bool {
        self.with(|written| written.own.things.contains_key(thing))
            .unwrap_or(false)
    }

    /// What earlier supervisors have left in the same journal, and how long nothing had been written then.
    pub(crate) fn earlier(&self) -> (Vec<Belongings>, Duration) {
        self.with(|written| (written.earlier.clone(), written.idle))
            .unwrap_or_default()
    }

    /// Forgets the earlier supervisors, as nothing of theirs is left.
    pub(crate) fn forget_earlier(&self) {
        self.with(|written| {
            written.earlier.clear();
            written.rewrite()
        });
    }

    /// Whether nothing is left to remove.
    pub(crate) fn is_settled(&self) -> bool {
        self.with(|written| written.own.things.is_empty() && written.earlier.is_empty())
            .unwrap_or(true)
    }

    fn add(&self, entry: Entry) {
        self.with(|written| written.add(entry));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Written) -> T) -> Option<T> {
        let written = self.0.as_ref()?;
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        Some(work(&mut written))
    }
}

impl Written {
    /// A line that cannot be written is lost for the next reader. The labels on the engine are not.
    fn add(&mut self, entry: Entry) {
        let line = line(&entry);
        let is_news = self.own.apply(entry);
        if is_news && self.file.write_all(&line).is_ok() {
            self.size += line.len() as u64;
        }
        if self.size > COMPACTED_FROM && self.own.things.is_empty() {
            let _ = self.rewrite();
        }
    }

    /// Replaces the contents of the file by the lines that matter.
    fn rewrite(&mut self) -> io::Result<()> {
        let all = self.earlier.iter().chain([&self.own]);
        let text: Vec<u8> = all.flat_map(Belongings::lines).collect();
        self.file.set_len(0)?;
        io::Seek::rewind(&mut self.file)?;
        self.file.write_all(&text)?;
        self.size = text.len() as u64;
        Ok(())
    }
}

impl Belongings {
    /// Whether anything may be on an engine.
    pub(crate) fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// The creations that were under way.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = &str> {
        let things = self.things.iter();
        things
            .filter(|(_, is_there)| !**is_there)
            .map(|(thing, _)| thing.as_str())
    }

    /// Applies a line. Returns whether it changes anything.
    fn apply(&mut self, entry: Entry) -> bool {
        match entry {
            Entry::Owner(owner) => {
                self.owner = owner.parse().ok();
                true
            }
            Entry::Engine(address) => self.engines.insert(address),
            Entry::Creating(thing) => self.things.insert(thing, false).is_none(),
            Entry::Created(thing) => self.things.insert(thing, true) != Some(true),
            Entry::Removed(thing) => self.things.remove(&thing).is_some(),
        }
    }

    fn lines(&self) -> Vec<u8> {
        let owner = self
            .owner
            .iter()
            .map(|owner| Entry::Owner(owner.to_string()));
        let engines = self.engines.iter().cloned().map(Entry::Engine);
        let things = self.things.iter().map(|(thing, is_there)| match is_there {
            true => Entry::Created(thing.clone()),
            false => Entry::Creating(thing.clone()),
        });
        let entries = owner.chain(engines).chain(things);
        entries.flat_map(|entry| line(&entry)).collect()
    }
}

fn line(entry: &Entry) -> Vec<u8> {
    let mut line = serde_json::to_vec(entry).expect("an entry is a name and a text");
    line.push(b'\n');
    line
}

/// What the supervisors of a journal have left, in their order, without those that have left nothing.
pub(crate) fn parse(text: &[u8]) -> Vec<Belongings> {
    let mut all: Vec<Belongings> = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(entry) = serde_json::from_slice(line) else {
            continue;
        };
        if matches!(entry, Entry::Owner(_)) || all.is_empty() {
            all.push(Belongings::default());
        }
        if let Some(last) = all.last_mut() {
            last.apply(entry);
        }
    }
    all.retain(|belongings| !belongings.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("seatrial-journal-{}-{name}", std::process::id()))
    }

    fn owner(start: u64) -> Owner {
        format!("boot/1/{start}/namespace/machine")
            .parse()
            .expect("an owner")
    }

    #[test]
    fn who_comes_later_learns_what_was_left_and_what_was_under_way() {
        let path = path("left");
        let first = Journal::open(&path, owner(1)).expect("a file");
        first.engine("unix:///one.sock");
        for thing in ["network a", "container b", "container c", "volume d"] {
            first.creating(thing);
        }
        first.created("network a");
        first.created("container b");
        first.created("volume d");
        first.removed("volume d");
        assert!(!first.is_settled());

        let second = Journal::open(&path, owner(2)).expect("a file");
        second.engine("unix:///two.sock");
        second.creating("container e");
        let (earlier, _) = second.earlier();
        second.removed("container e");
        let settled_before = second.is_settled();
        let third = Journal::open(&path, owner(3)).expect("a file");
        second.forget_earlier();
        let settled = second.is_settled();
        std::fs::remove_file(&path).expect("a file");

        let left = Belongings {
            owner: Some(owner(1)),
            engines: ["unix:///one.sock".to_owned()].into(),
            things: [
                ("container b".to_owned(), true),
                ("container c".to_owned(), false),
                ("network a".to_owned(), true),
            ]
            .into(),
        };
        assert_eq!(left.under_way().collect::<Vec<_>>(), ["container c"]);
        assert_eq!(earlier, std::slice::from_ref(&left));
        assert!(!settled_before, "what was left before is still there");
        assert!(settled);
        assert_eq!(third.earlier().0, [left], "the second has left nothing");
    }

    #[test]
    fn a_line_that_broke_off_costs_itself_only() {
        let path = path("broken");
        let journal = Journal::open(&path, owner(1)).expect("a file");
        journal.creating("container a");
        let mut text = std::fs::read(&path).expect("a file");
        text.extend(br#"{"creating":"contai"#);
        std::fs::write(&path, &text).expect("a file");
        let next = Journal::open(&path, owner(2)).expect("a file");
        next.creating("container b");
        let text = std::fs::read(&path).expect("a file");
        std::fs::remove_file(&path).expect("a file");
        let things: Vec<Vec<String>> = parse(&text)
            .into_iter()
            .map(|belongings| belongings.things.into_keys().collect())
            .collect();
        assert_eq!(things, [["container a"], ["container b"]]);
        assert_eq!(parse(b"\n\xff\n{}\n[1]\n"), []);
    }

    #[test]
    fn a_journal_does_not_grow_for_ever() {
        let path = path("grows");
        let journal = Journal::open(&path, owner(1)).expect("a file");
        journal.engine("unix:///one.sock");
        for number in 0..2000 {
            let thing = format!("container {number}");
            journal.creating(&thing);
            journal.created(&thing);
            journal.removed(&thing);
        }
        journal.creating("container last");
        let text = std::fs::read(&path).expect("a file");
        std::fs::remove_file(&path).expect("a file");
        assert!(text.len() as u64 <= COMPACTED_FROM + 1024, "{}", text.len());
        let left = parse(&text);
        assert_eq!(left[0].engines.len(), 1, "{left:?}");
        assert_eq!(left[0].under_way().count(), 1);
    }

    #[test]
    fn without_a_file_there_is_nothing_to_settle() {
        let journal = Journal::default();
        journal.creating("container a");
        assert!(journal.is_settled() && journal.earlier().0.is_empty());
    }
}
