//! Images that tests have made, and half-made ones. Those that the tests run on are made to stay.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace;

/// The images that the tests run on, as the workspace's configuration says how to make them.
///
/// # Errors
///
/// Where the configuration cannot be read.
pub(super) fn fixtures() -> Result<Vec<String>> {
    let file = workspace::root().join("seatrial.toml");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    names(&text).with_context(|| format!("cannot read {}", file.display()))
}

fn names(configuration: &str) -> Result<Vec<String>> {
    let table: toml::Table = configuration.parse()?;
    let images = table.get("images").and_then(toml::Value::as_table);
    Ok(images
        .into_iter()
        .flat_map(toml::Table::keys)
        .cloned()
        .collect())
}

/// The label of the image for network namespaces, which stays on an engine.
const STAYS: &str = "dev.seatrial.image";

/// Whether an image of the engine's list was made by us or by our tests and should be gone: their labels and names say so.
pub(super) fn is_ours(image: &Value) -> bool {
    let labels = image["Labels"].as_object().into_iter().flatten();
    let mut labels = labels.filter(|(label, _)| *label != STAYS);
    let named = |tag: &str| {
        tag.rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with("seatrial-"))
    };
    labels.any(|(label, _)| label.starts_with("dev.seatrial.")) || tags(image).any(named)
}

/// Whether an image has the name of one that the tests run on. Some engines put a registry before it.
pub(super) fn is_fixture(image: &Value, fixtures: &[String]) -> bool {
    tags(image).any(|tag| {
        fixtures.iter().any(|fixture| {
            let before = tag.strip_suffix(fixture.as_str());
            before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        })
    })
}

/// An image for people: its names, or that it has none.
pub(super) fn describe(image: &Value) -> String {
    let tags: Vec<&str> = tags(image).collect();
    match tags.as_slice() {
        [] => "without a name".to_owned(),
        tags => tags.join(", "),
    }
}

fn tags(image: &Value) -> impl Iterator<Item = &str> {
    let tags = image["RepoTags"].as_array().into_iter().flatten();
    let tags = tags.filter_map(Value::as_str);
    tags.filter(|tag| *tag != "<none>:<none>")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn images_are_ours_by_label_or_by_name_and_fixtures_by_the_configuration() {
        let fixtures = names("[images.\"debian:bookworm-slim\"]\nscript = \"rootfs\"\n").unwrap();
        assert_eq!(fixtures, ["debian:bookworm-slim"]);
        let made = json!({ "dev.seatrial.fallback": "19" });
        for (tags, labels, ours, fixture) in [
            (json!(["debian:bookworm-slim"]), made.clone(), true, true),
            (
                json!(["docker.io/library/debian:bookworm-slim"]),
                made.clone(),
                true,
                true,
            ),
            (
                json!(["notdebian:bookworm-slim"]),
                made.clone(),
                true,
                false,
            ),
            (json!(["<none>:<none>"]), made, true, false),
            (
                json!(null),
                json!({ "dev.seatrial.test.image": "a" }),
                true,
                false,
            ),
            (
                json!(["localhost:5000/seatrial-images-test-1-0:1"]),
                json!(null),
                true,
                false,
            ),
            (
                json!(["seatrial/network-namespace:amd64-1"]),
                json!({ "dev.seatrial.image": "network-namespace" }),
                false,
                false,
            ),
            (
                json!(["localhost/team/postgres:15"]),
                json!({ "team": "a" }),
                false,
                false,
            ),
        ] {
            let image = json!({ "RepoTags": tags, "Labels": labels });
            assert_eq!(is_ours(&image), ours, "{image}");
            assert_eq!(is_fixture(&image, &fixtures), fixture, "{image}");
        }
    }

    #[test]
    fn every_image_of_the_configuration_is_a_fixture() {
        assert!(fixtures().unwrap().contains(&"postgres:15".to_owned()));
    }
}
