//! Looks for what a finished run may not leave behind: what carries our labels on the engine, processes of ours, and
//! files of ours among the temporary ones.

mod files;
mod images;
pub(crate) mod networks;
mod processes;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::api::Api;
use crate::workspace;
use networks::Verdict;

/// The labels of what is made for a run, and of what tests make on the engine without one.
const LABELS: [&str; 2] = ["dev.seatrial.run", "dev.seatrial.test"];

/// How long the last teardown may still be at work.
const DEADLINE: Duration = Duration::from_secs(15);

/// What existed before a run, which is not looked for after it.
pub(crate) struct Leftovers<'a> {
    api: &'a Api,
    /// Where the executables of our processes are.
    target: PathBuf,
    /// The images that the tests run on, which stay.
    fixtures: Vec<String>,
    before: Found,
}

/// Everything of ours that exists at a moment, each with a description.
#[derive(Default)]
struct Found(BTreeMap<(Kind, String), String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Container,
    Network,
    Volume,
    Image,
    Process,
    File,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Container => "container",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Image => "image",
            Self::Process => "process",
            Self::File => "file",
        })
    }
}

impl Found {
    fn insert(&mut self, kind: Kind, id: impl Into<String>, description: impl fmt::Display) {
        self.0
            .insert((kind, id.into()), format!("{kind} {description}"));
    }
}

impl<'a> Leftovers<'a> {
    /// Remembers what exists now.
    ///
    /// # Errors
    ///
    /// Where the engine does not answer.
    pub(crate) fn before(api: &'a Api) -> Result<Self> {
        let mut leftovers = Self {
            api,
            target: workspace::target()?,
            fixtures: images::fixtures()?,
            before: Found::default(),
        };
        leftovers.before = leftovers.now()?;
        Ok(leftovers)
    }

    /// Fails unless what exists now had existed before; what is being torn down gets the time for it. Names the
    /// networks that are still there for a defect of the engine's: nobody here can remove them.
    ///
    /// # Errors
    ///
    /// Where something is left, naming each item, or the engine does not answer.
    pub(crate) fn none(&self) -> Result<Vec<String>> {
        let started = Instant::now();
        let left = loop {
            let mut left = self.now()?.0;
            left.retain(|key, _| !self.before.0.contains_key(key));
            if left.is_empty() || started.elapsed() > DEADLINE {
                break left;
            }
            thread::sleep(Duration::from_millis(100));
        };
        let mut ours = Vec::new();
        let mut defects = Vec::new();
        for ((kind, id), description) in left {
            if kind != Kind::Network {
                ours.push(description);
                continue;
            }
            match networks::judge(self.api, &id)? {
                Verdict::Gone => {}
                Verdict::EngineDefect => defects.push(format!(
                    "ENGINE DEFECT {description}: no container is attached to it, and the engine refuses to remove it because \
                     it has lost count of them (moby#42119); it goes when the engine is restarted"
                )),
                Verdict::Left(state) => ours.push(format!("{description}: {state}")),
            }
        }
        if !ours.is_empty() {
            ours.extend(defects);
            bail!("the tests left behind:\n  {}", ours.join("\n  "));
        }
        println!(
            "    nothing of ours is left: no container, network, volume, image, process or file"
        );
        Ok(defects)
    }

    fn now(&self) -> Result<Found> {
        let mut found = labelled(self.api)?;
        let images = self.api.get("/images/json")?.unwrap_or_default();
        for image in images.as_array().into_iter().flatten() {
            if images::is_ours(image) && !images::is_fixture(image, &self.fixtures) {
                let id = image["Id"].as_str().unwrap_or_default();
                found.insert(
                    Kind::Image,
                    id,
                    format!("{id} ({})", images::describe(image)),
                );
            }
        }
        for (id, executable) in processes::list(&self.target) {
            let description = format!("{id} ({})", executable.display());
            found.insert(Kind::Process, id.to_string(), description);
        }
        for file in files::list() {
            let path = file.to_string_lossy();
            found.insert(Kind::File, path.clone(), path);
        }
        Ok(found)
    }
}

/// The containers, networks and volumes that carry a label of ours.
fn labelled(api: &Api) -> Result<Found> {
    let mut found = Found::default();
    for label in LABELS {
        for (kind, id, item) in labelled_with(api, label)? {
            found.insert(kind, id, describe(&item, label));
        }
    }
    Ok(found)
}

/// The containers, networks and volumes that carry a label (`LABEL`, or `LABEL=VALUE`): id, and what the engine says.
///
/// # Errors
///
/// Where the engine does not answer.
pub(crate) fn labelled_with(api: &Api, label: &str) -> Result<Vec<(Kind, String, Value)>> {
    let label = label.replace('=', "%3D");
    // {"label":["LABEL"]}
    let filter = format!("filters=%7B%22label%22%3A%5B%22{label}%22%5D%7D");
    let mut all = Vec::new();
    for (kind, path, id) in [
        (
            Kind::Container,
            format!("/containers/json?all=1&{filter}"),
            "Id",
        ),
        (Kind::Network, format!("/networks?{filter}"), "Id"),
        (Kind::Volume, format!("/volumes?{filter}"), "Name"),
    ] {
        let document = api.get(&path)?.unwrap_or_default();
        // Volumes come in an object of their own, which holds `null` where there is none.
        let items = document.as_array().or(document["Volumes"].as_array());
        for item in items.into_iter().flatten() {
            let id = item[id].as_str().unwrap_or_default().to_owned();
            all.push((kind, id, item.clone()));
        }
    }
    Ok(all)
}

/// What the engine calls something.
pub(crate) fn name(item: &Value) -> &str {
    let name = item["Names"][0].as_str().or(item["Name"].as_str());
    name.unwrap_or("?").trim_start_matches('/')
}

/// What the engine says of something, as its name and whose it is: `shop-db (dev.seatrial.run=5f3a)`.
fn describe(item: &Value, label: &str) -> String {
    format!(
        "{} ({label}={})",
        name(item),
        item["Labels"][label].as_str().unwrap_or("?")
    )
}

/// Counts of what carries our labels, for people.
///
/// # Errors
///
/// Where the engine does not answer.
pub(crate) fn counts(api: &Api) -> Result<String> {
    let all = labelled(api)?;
    let count = |wanted: Kind| match all.0.keys().filter(|(kind, _)| *kind == wanted).count() {
        0 => format!("no {wanted}"),
        1 => format!("1 {wanted}"),
        many => format!("{many} {wanted}s"),
    };
    Ok([Kind::Container, Kind::Network, Kind::Volume]
        .map(count)
        .join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_is_told_by_its_name_and_its_label() {
        let container =
            json!({ "Id": "1f", "Names": ["/db"], "Labels": { "dev.seatrial.run": "5f3a" } });
        assert_eq!(
            describe(&container, "dev.seatrial.run"),
            "db (dev.seatrial.run=5f3a)"
        );
        let network =
            json!({ "Id": "2e", "Name": "net", "Labels": { "dev.seatrial.test": "engine" } });
        assert_eq!(
            describe(&network, "dev.seatrial.test"),
            "net (dev.seatrial.test=engine)"
        );
    }
}
