//! Whether the files of this machine that a service may have read are still as they were. Looks at names, sizes, times and
//! the like, never at contents. Must not ask an engine.
//!
//! A service that starts ahead of its test reads files at another time than the test expects. So what it may have read is
//! compared when the test takes it.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use seatrial_model::{CheckKind, FileContent, Origin, ServicePlan, SetupKind, Source, Template};

use super::spec;
use crate::engine::{ImageInfo, MountSpec};
use crate::fingerprint::Fingerprint;
use crate::protocol::Launch;

/// The most files and directories that are looked at. To look at more would take longer than a service needs to start.
const MOST: usize = 10_000;

/// What cargo, and other tools after it, write into a directory whose content can be made again.
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// Files and directories, and the state in which they were.
#[derive(Debug)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    state: String,
}

impl Files {
    /// The present state of what these services of a launch may read. Each has the image that it is made from. `None` if
    /// there is too much to look at.
    pub(super) fn of(launch: &Launch, services: &[(usize, ImageInfo)]) -> Option<Self> {
        let mut paths = Vec::new();
        for (index, image) in services {
            let service = &launch.plan.services[*index];
            let mounts = service.mounts.iter();
            paths.extend(mounts.map(|mount| launch.package_dir.join(&mount.from)));
            if let Origin::Bin { binding, .. } = service.origin {
                paths.push(launch.binaries[binding].clone());
            }
            if uses_source(launch, *index, image)
                && let Ok(Some(MountSpec::Bind { from, .. })) = spec::source(launch, service)
            {
                paths.push(from.into());
            }
        }
        paths.sort();
        paths.dedup();
        let state = look(&paths, MOST)?;
        Some(Self { paths, state })
    }

    /// Whether nothing has changed.
    pub(super) fn are_unchanged(&self) -> bool {
        look(&self.paths, MOST).as_ref() == Some(&self.state)
    }
}

/// Whether the service seems to use the source. It is mounted everywhere, and most images know nothing of it.
fn uses_source(launch: &Launch, index: usize, image: &ImageInfo) -> bool {
    let service = &launch.plan.services[index];
    let Source::Mounted { at, .. } = &service.source else {
        return false;
    };
    // Who says how the source is mounted wants it.
    let is_asked_for = service.source != Source::default();
    // It begins in its package's directory.
    let is_binary = matches!(service.origin, Origin::Bin { .. });
    // It has the source, too.
    let in_setup =
        |setup: &seatrial_model::Setup| matches!(setup.kind, SetupKind::Container { .. });
    let names = |text: &str| text.contains(at.as_str());
    let included = service.files.iter().filter_map(|file| match file.content {
        FileContent::Included(binding) => Some(&*launch.files[binding]),
        FileContent::Text(_) => None,
    });
    let mut included = included.map(|content| String::from_utf8_lossy(content));
    is_asked_for
        || is_binary
        || service.setups.iter().any(in_setup)
        || service.workdir.as_deref().is_some_and(names)
        || names(&image.workdir)
        || image.command.iter().any(|word| names(word))
        || texts(service).any(|text| names(&spec::render(launch, index, text)))
        || included.any(|content| names(&content))
}

/// The texts that the service, or a command in its container, gets.
fn texts(service: &ServicePlan) -> impl Iterator<Item = &Template> {
    let files = service.files.iter().filter_map(|file| match &file.content {
        FileContent::Text(text) => Some(text),
        FileContent::Included(_) => None,
    });
    let setups = service.setups.iter().filter_map(|setup| match &setup.kind {
        SetupKind::Exec { command, .. } => Some(command),
        SetupKind::Container { .. } | SetupKind::Hook { .. } => None,
    });
    let checks = service.ready.iter().filter_map(|check| match &check.kind {
        CheckKind::Exec { command } => Some(command),
        _ => None,
    });
    let commands = service.entrypoint.iter().chain(&service.command);
    commands
        .chain(setups)
        .chain(checks)
        .flatten()
        .chain(service.variables().map(|variable| &variable.value))
        .chain(files)
}

/// The state of everything at these paths and below. `None` if it is more than `most`.
fn look(paths: &[PathBuf], most: usize) -> Option<String> {
    let mut state = Fingerprint::new();
    let mut seen = 0;
    for path in paths {
        // The engine follows the path of a mount, and nothing below it.
        let mut unseen = vec![(path.clone(), fs::metadata(path))];
        while let Some((path, metadata)) = unseen.pop() {
            seen += 1;
            if seen > most {
                return None;
            }
            state.add(path.as_os_str().as_encoded_bytes());
            let Ok(metadata) = metadata else {
                state.add(b"missing");
                continue;
            };
            if !metadata.is_dir() {
                add(&mut state, &metadata);
                continue;
            }
            // The times of a directory change with a file that comes and goes.
            state.add(&metadata.ino().to_le_bytes());
            state.add(&metadata.mode().to_le_bytes());
            unseen.extend(below(&path));
        }
    }
    Some(state.finish())
}

/// Adds what changes with a file.
fn add(state: &mut Fingerprint, file: &Metadata) {
    for number in [file.ino(), file.size()] {
        state.add(&number.to_le_bytes());
    }
    for number in [
        file.mtime(),
        file.mtime_nsec(),
        file.ctime(),
        file.ctime_nsec(),
    ] {
        state.add(&number.to_le_bytes());
    }
}

/// What is in a directory, in a fixed order, except what builds and commits write there.
fn below(directory: &Path) -> Vec<(PathBuf, std::io::Result<Metadata>)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let entries = entries.filter(|entry| entry.file_name() != ".git");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let all = paths.into_iter().map(|path| {
        let metadata = fs::symlink_metadata(&path);
        (path, metadata)
    });
    let is_cache = |(path, metadata): &(PathBuf, std::io::Result<Metadata>)| {
        let is_directory = metadata.as_ref().is_ok_and(Metadata::is_dir);
        is_directory && path.join(CACHE_TAG).exists()
    };
    all.filter(|entry| !is_cache(entry)).collect()
}

#[cfg(test)]
mod tests;
