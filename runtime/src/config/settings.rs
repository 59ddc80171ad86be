//! The meaning of the values: each key with its default, its variable and its check.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use seatrial_model::{Build, ImageRef};

use super::document::{Document, Entry, Section};
use super::keys::{FALLBACK, KEYS, TIMEOUTS};
use super::mistakes::{Mistakes, Place};
use super::schema::{
    BuildSource, Config, Environment, Fallback, ImageConfig, Keep, Publish, SupervisorMode,
    Timeouts,
};
use super::values::{
    filled, flag, image, keep, keep_in_file, mirror, number, ports, positive_duration, publish,
    pull, registry, supervisor,
};

/// The configuration that results from the file and the variables. If a value is wrong, the mistake is noted, and the default
/// takes its place.
pub(super) fn settle(
    workspace: &Path,
    document: &Document<'_>,
    environment: Environment<'_>,
    mistakes: &mut Mistakes,
) -> Config {
    let root = document.root();
    root.expect_only(&KEYS, mistakes);
    let timeouts = root.section("timeouts", mistakes);
    timeouts.expect_only(&TIMEOUTS, mistakes);
    let mut settings = Settings {
        workspace,
        environment,
        mistakes,
    };
    Config {
        engine: settings.text(
            &root,
            "engine",
            "SEATRIAL_ENGINE",
            "engine = \"docker\"",
            filled,
        ),
        base: settings
            .text(
                &root,
                "base",
                "SEATRIAL_BASE",
                "base = \"debian:bookworm-slim\"",
                str::parse,
            )
            .unwrap_or_else(|| {
                "debian:bookworm-slim"
                    .parse()
                    .expect("the default is a reference")
            }),
        timeouts: Timeouts {
            ready: settings.timeout(&timeouts, "ready", "60s"),
            setup: settings.timeout(&timeouts, "setup", "5m"),
            job: settings.timeout(&timeouts, "job", "10m"),
            pull: settings.timeout(&timeouts, "pull", "15m"),
            engine: settings.timeout(&timeouts, "engine", "60s"),
        },
        ports: settings
            .text(
                &root,
                "ports",
                "SEATRIAL_PORTS",
                "ports = \"20000-29999\"",
                ports,
            )
            .unwrap_or(20000..=29999),
        publish: settings
            .text(
                &root,
                "publish",
                "SEATRIAL_PUBLISH",
                "publish = \"always\"",
                publish,
            )
            .unwrap_or(Publish::Auto),
        namespaces: settings
            .value(
                &root,
                "namespaces",
                "SEATRIAL_NAMESPACES",
                |entry, mistakes| entry.number("namespaces = 32", mistakes),
                |text| number("number of network namespaces", text, "32, or 0 for none"),
            )
            .unwrap_or(32),
        report: settings
            .value(
                &root,
                "report",
                "SEATRIAL_REPORT",
                |entry, mistakes| entry.flag("report = true", mistakes),
                flag,
            )
            .unwrap_or(false),
        events: settings
            .text(
                &root,
                "events",
                "SEATRIAL_EVENTS",
                "events = \"target/seatrial-events.jsonl\"",
                filled,
            )
            .map(|path| workspace.join(path)),
        logs_on_failure: settings
            .value(
                &root,
                "logs_on_failure",
                "SEATRIAL_LOGS_ON_FAILURE",
                |entry, mistakes| entry.number("logs_on_failure = 20", mistakes),
                |text| number("number of lines", text, "20"),
            )
            .unwrap_or(20),
        supervisor: settings
            .text(
                &root,
                "supervisor",
                "SEATRIAL_SUPERVISOR",
                "supervisor = \"process\"",
                supervisor,
            )
            .unwrap_or(SupervisorMode::Process),
        keep: settings
            .value(
                &root,
                "keep",
                "SEATRIAL_KEEP",
                |entry, mistakes| {
                    let text = entry.text("keep = \"2h\"", mistakes)?;
                    mistakes.keep(&entry.place, keep_in_file(text))
                },
                keep,
            )
            .unwrap_or(Keep::For(Duration::from_secs(2 * 60 * 60))),
        ahead: settings.value(
            &root,
            "ahead",
            "SEATRIAL_AHEAD",
            |entry, mistakes| entry.number("ahead = 2", mistakes),
            |text| number("number of services", text, "2, or 0 for none"),
        ),
        images: ImageConfig {
            workspace: workspace.to_owned(),
            pull: settings
                .text(&root, "pull", "SEATRIAL_PULL", "pull = \"missing\"", pull)
                .unwrap_or_default(),
            mirrors: settings.mirrors(&root),
            substitutions: settings.substitutions(&root),
            fallbacks: settings.fallbacks(&root),
        },
    }
}

/// The two sources of values.
struct Settings<'a> {
    workspace: &'a Path,
    environment: Environment<'a>,
    mistakes: &'a mut Mistakes,
}

impl Settings<'_> {
    /// A key that is a string in the file and as a variable.
    fn text<T, E: fmt::Display>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        variable: &str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.value(
            section,
            key,
            variable,
            |entry, mistakes| {
                let text = entry.text(example, mistakes)?;
                mistakes.keep(&entry.place, parse(text))
            },
            &parse,
        )
    }

    /// A key of `[timeouts]`.
    fn timeout(&mut self, timeouts: &Section<'_>, key: &str, default: &str) -> Duration {
        let variable = format!("SEATRIAL_TIMEOUTS_{}", key.to_uppercase());
        let example = format!("{key} = \"{default}\"");
        self.text(timeouts, key, &variable, &example, positive_duration)
            .unwrap_or_else(|| positive_duration(default).expect("the default is a duration"))
    }

    /// A key with its own type in the file. The value in the file is checked even if the variable overrides it.
    fn value<T, E: fmt::Display>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        variable: &str,
        from_file: impl FnOnce(&Entry<'_>, &mut Mistakes) -> Option<T>,
        from_text: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let in_file = section
            .get(key)
            .and_then(|entry| from_file(&entry, self.mistakes));
        match self.variable(variable) {
            Some((place, text)) => self.mistakes.keep(&place, from_text(&text)),
            None => in_file,
        }
    }

    fn variable(&self, name: &str) -> Option<(Place, String)> {
        (self.environment)(name)
            .filter(|value| !value.trim().is_empty())
            .map(|value| (Place::Variable(name.to_owned()), value))
    }

    /// The entries of a table's variable: `name=value,name=value`.
    fn pairs(&mut self, variable: &str, example: &str) -> Vec<(Place, String, String)> {
        let Some((place, text)) = self.variable(variable) else {
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for pair in text
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            match pair.split_once('=') {
                Some((name, value)) => {
                    pairs.push((
                        place.clone(),
                        name.trim().to_owned(),
                        value.trim().to_owned(),
                    ));
                }
                None => self.mistakes.add(
                    &place,
                    format!("missing `=` in `{pair}`; write `{variable}={example}`"),
                ),
            }
        }
        pairs
    }

    fn mirrors(&mut self, root: &Section<'_>) -> BTreeMap<String, Vec<String>> {
        let mut mirrors = BTreeMap::new();
        let example = "\"docker.io\" = \"mirror.example:5000\"";
        for entry in root.section("mirrors", self.mistakes).entries() {
            let Some(texts) = entry.texts(example, self.mistakes) else {
                continue;
            };
            let registry = self.mistakes.keep(&entry.key_place, registry(entry.key));
            let known: Option<Vec<String>> = texts
                .into_iter()
                .map(|text| self.mistakes.keep(&entry.place, mirror(text)))
                .collect();
            if let (Some(registry), Some(known)) = (registry, known) {
                mirrors.insert(registry, known);
            }
        }
        for (place, name, value) in self.pairs("SEATRIAL_MIRRORS", "docker.io=mirror.example:5000")
        {
            let registry = self.mistakes.keep(&place, registry(&name));
            let mirror = self.mistakes.keep(&place, mirror(&value));
            if let (Some(registry), Some(mirror)) = (registry, mirror) {
                mirrors.insert(registry, vec![mirror]);
            }
        }
        mirrors
    }

    fn substitutions(&mut self, root: &Section<'_>) -> BTreeMap<ImageRef, ImageRef> {
        let mut substitutions = BTreeMap::new();
        let example = "\"postgres:15\" = \"team/postgres:15\"";
        for entry in root.section("substitutions", self.mistakes).entries() {
            let original = self.mistakes.keep(&entry.key_place, image(entry.key));
            let other = entry
                .text(example, self.mistakes)
                .and_then(|text| self.mistakes.keep(&entry.place, image(text)));
            if let (Some(original), Some(other)) = (original, other) {
                substitutions.insert(original, other);
            }
        }
        for (place, name, value) in
            self.pairs("SEATRIAL_SUBSTITUTIONS", "postgres:15=team/postgres:15")
        {
            let original = self.mistakes.keep(&place, image(&name));
            let other = self.mistakes.keep(&place, image(&value));
            if let (Some(original), Some(other)) = (original, other) {
                substitutions.insert(original, other);
            }
        }
        substitutions
    }

    fn fallbacks(&mut self, root: &Section<'_>) -> BTreeMap<ImageRef, Fallback> {
        let mut fallbacks = BTreeMap::new();
        for entry in root.section("images", self.mistakes).entries() {
            let original = self.made_image(&entry.key_place, entry.key);
            let name = format!("images.\"{}\"", entry.key);
            let section = entry.section(&name, self.mistakes);
            let fallback = self.fallback(&entry, &section);
            if let (Some(original), Some(fallback)) = (original, fallback) {
                fallbacks.insert(original, fallback);
            }
        }
        let example = "redis:7=build:tests/images/redis";
        for (place, name, value) in self.pairs("SEATRIAL_IMAGES", example) {
            let original = self.made_image(&place, &name);
            let fallback = match value.split_once(':') {
                Some(("build", directory)) => {
                    self.build(&place, directory, Build::DOCKERFILE, None, BTreeMap::new())
                }
                Some(("script", executable)) => self.script(&place, executable),
                _ => {
                    self.mistakes.add(
                        &place,
                        format!(
                            "missing `build:` or `script:` in `{value}`; write `SEATRIAL_IMAGES={example}`"
                        ),
                    );
                    None
                }
            };
            if let (Some(original), Some(fallback)) = (original, fallback) {
                fallbacks.insert(original, fallback);
            }
        }
        fallbacks
    }

    /// The name of an image that can be made.
    fn made_image(&mut self, place: &Place, name: &str) -> Option<ImageRef> {
        let made = self.mistakes.keep(place, image(name))?;
        if made.digest().is_none() {
            return Some(made);
        }
        let unpinned = made.without_digest();
        self.mistakes.add(
            place,
            format!(
                "`{name}` is pinned by its digest, but an image that is made here has no digest; write `[images.\"{unpinned}\"]`, and `\"{name}\" = \"{unpinned}\"` in `[substitutions]`"
            ),
        );
        None
    }

    /// One table below `[images]`.
    fn fallback(&mut self, table: &Entry<'_>, section: &Section<'_>) -> Option<Fallback> {
        section.expect_only(&FALLBACK, self.mistakes);
        let (build, script) = (section.get("build"), section.get("script"));
        let name = table.key;
        match (build, script) {
            (Some(build), None) => {
                let dockerfile = section
                    .get("dockerfile")
                    .and_then(|entry| entry.text("dockerfile = \"Dockerfile\"", self.mistakes))
                    .unwrap_or(Build::DOCKERFILE);
                let target = section
                    .get("target")
                    .and_then(|entry| entry.text("target = \"runtime\"", self.mistakes));
                let mut args = BTreeMap::new();
                for entry in section.section("args", self.mistakes).entries() {
                    if let Some(value) = entry.text("args = { NAME = \"value\" }", self.mistakes) {
                        args.insert(entry.key.to_owned(), value.to_owned());
                    }
                }
                let directory = build.text("build = \"tests/images/redis\"", self.mistakes)?;
                self.build(&build.place, directory, dockerfile, target, args)
            }
            (None, Some(script)) => {
                for key in ["dockerfile", "target", "args"] {
                    if let Some(entry) = section.get(key) {
                        self.mistakes.add(
                            &entry.key_place,
                            format!(
                                "`{key}` is only valid with `build`, not with `script`; remove it"
                            ),
                        );
                    }
                }
                let executable = script.text("script = \"tests/images/rootfs\"", self.mistakes)?;
                self.script(&script.place, executable)
            }
            (Some(_), Some(script)) => {
                self.mistakes.add(
                    &script.key_place,
                    format!("`{name}` has both `build` and `script`; remove one of them"),
                );
                None
            }
            // A value that is not a table was noted when it was read.
            (None, None) if section.entries().next().is_none() && !section.is_table() => None,
            (None, None) => {
                self.mistakes.add(
                    &table.key_place,
                    format!(
                        "`{name}` has neither `build` nor `script`; write `build = \"a directory with a Dockerfile\"` or `script = \"an executable\"`"
                    ),
                );
                None
            }
        }
    }

    fn build(
        &mut self,
        place: &Place,
        directory: &str,
        dockerfile: &str,
        target: Option<&str>,
        args: BTreeMap<String, String>,
    ) -> Option<Fallback> {
        let context = self.workspace.join(directory);
        if !context.is_dir() {
            self.mistakes.add(
                place,
                format!(
                    "there is no directory `{directory}` in {}; write a path relative to the workspace root",
                    self.workspace.display()
                ),
            );
            return None;
        }
        let within = Path::new(dockerfile)
            .components()
            .all(|component| matches!(component, std::path::Component::Normal(_)));
        if !within || !context.join(dockerfile).is_file() {
            self.mistakes.add(
                place,
                format!(
                    "there is no file `{dockerfile}` in `{directory}`; write it, or name another with `dockerfile = \"..\"`"
                ),
            );
            return None;
        }
        Some(Fallback::Build(BuildSource {
            context,
            dockerfile: dockerfile.to_owned(),
            target: target.map(str::to_owned),
            args,
        }))
    }

    fn script(&mut self, place: &Place, executable: &str) -> Option<Fallback> {
        let path: PathBuf = self.workspace.join(executable);
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 => {
                Some(Fallback::Script(path))
            }
            Ok(metadata) if metadata.is_file() => {
                self.mistakes.add(
                    place,
                    format!("`{executable}` is not executable; run `chmod +x {executable}`"),
                );
                None
            }
            _ => {
                self.mistakes.add(
                    place,
                    format!(
                        "there is no file `{executable}` in {}; write a path relative to the workspace root",
                        self.workspace.display()
                    ),
                );
                None
            }
        }
    }
}
