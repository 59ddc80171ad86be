//! Looks for what a finished run may not leave behind: what carries our label on the engine, and files of ours among
//! the temporary ones.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::api::Api;

/// `{"label":["dev.seatrial.run"]}`, as it stands in a query.
const LABELLED: &str = "filters=%7B%22label%22%3A%5B%22dev.seatrial.run%22%5D%7D";

/// How long the last teardown may still be at work.
const PATIENCE: Duration = Duration::from_secs(15);

/// Everything of ours that exists now, each item as a line for people.
///
/// # Errors
///
/// Where the engine does not answer.
pub(crate) fn list(api: &Api) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let documents = [
        (
            "container",
            format!("/containers/json?all=1&{LABELLED}"),
            "Id",
        ),
        ("network", format!("/networks?{LABELLED}"), "Name"),
        ("volume", format!("/volumes?{LABELLED}"), "Name"),
    ];
    for (kind, path, key) in documents {
        let document = api.get(&path)?.unwrap_or_default();
        // Volumes come in an object of their own, which holds `null` where there is none.
        let items = document.as_array().or(document["Volumes"].as_array());
        for item in items.into_iter().flatten() {
            let name = item["Names"][0].as_str().or(item[key].as_str());
            let run = item["Labels"]["dev.seatrial.run"].as_str();
            found.insert(format!(
                "{kind} {} (run {})",
                name.unwrap_or("?").trim_start_matches('/'),
                run.unwrap_or("?")
            ));
        }
    }
    found.extend(
        files()
            .into_iter()
            .map(|file| format!("file {}", file.display())),
    );
    Ok(found)
}

/// Fails unless what exists now had existed `before`; what is being torn down gets the time for it.
///
/// # Errors
///
/// Where something is left, naming each item, or the engine does not answer.
pub(crate) fn none_since(api: &Api, before: &BTreeSet<String>) -> Result<()> {
    let started = Instant::now();
    loop {
        let left: Vec<String> = list(api)?.difference(before).cloned().collect();
        if left.is_empty() {
            println!("    nothing is left: no container, network, volume or file");
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            bail!("the tests left behind:\n  {}", left.join("\n  "));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Counts of what carries our label, for people.
///
/// # Errors
///
/// Where the engine does not answer.
pub(crate) fn counts(api: &Api) -> Result<String> {
    let all = list(api)?;
    let count = |kind: &str| match all.iter().filter(|item| item.starts_with(kind)).count() {
        0 => format!("no {kind}"),
        1 => format!("1 {kind}"),
        many => format!("{many} {kind}s"),
    };
    Ok(["container", "network", "volume"].map(count).join(", "))
}

fn files() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let mut directories = vec![std::env::temp_dir()];
    directories.extend(runtime);
    let entries = directories
        .iter()
        .flat_map(std::fs::read_dir)
        .flatten()
        .flatten();
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with("seatrial-")
    };
    entries.map(|entry| entry.path()).filter(ours).collect()
}
