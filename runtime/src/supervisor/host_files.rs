//! Checks that the engine mounts the files that this process sees. It does not if the tests run in a container and
//! the engine outside of it, or if the engine is on another machine: the same path may have other files there.
//!
//! The check asks the engine about the first container that mounts a path, before the service is used: before the
//! container starts if it may write there. It takes 40 to 60 ms, once in a run. A marker file with a unique name proves
//! most. It is written where cargo writes anyway: beside the executable, where nobody watches for changes. If the
//! executable is not in the mounted tree, the times and sizes of files are compared; two checkouts have none of these in
//! common. If an engine gives no answer, nothing is concluded.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt as _;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use super::head::{self, Head};
use super::identity::OwnContainer;
use crate::engine::{Engine, MountSpec};
use crate::{Error, ErrorKind};

/// The directory of markers, beside the executable.
const MARKERS: &str = "seatrial-markers";
/// The age from which a marker counts as one of a killed process.
const MARKER_IS_STALE_AFTER: Duration = Duration::from_secs(60);
/// The number of files that are compared if there is no marker.
const FILES: usize = 8;
/// The number of a directory's entries that are searched for them.
const ENTRIES: usize = 256;
/// The difference in seconds that the times of the same file may have. Some file systems, and some ways to share files
/// with a virtual machine, round times.
const ROUNDED: u64 = 2;
/// How long a virtual machine may take to see changes of shared files.
const SEEN_WITHIN: Duration = Duration::from_secs(2);
const PACE: Duration = Duration::from_millis(50);

/// The results for a run's engine, by path.
#[derive(Debug, Default)]
pub(super) struct HostFiles(Mutex<BTreeMap<PathBuf, Known>>);

type Known = Arc<OnceCell<Result<(), Error>>>;

/// A container that was created, and that nobody uses yet.
#[derive(Clone, Copy)]
pub(super) struct Created<'a> {
    pub(super) engine: &'a Engine,
    pub(super) id: &'a str,
    pub(super) mounts: &'a [MountSpec],
    /// The container of this process.
    pub(super) own: Option<OwnContainer<'a>>,
}

impl HostFiles {
    /// Lets a launch that begins now repeat checks that have failed.
    pub(super) fn forget_failures(&self) {
        let is_failure = |seen: &Known| matches!(seen.get(), Some(Err(_)));
        self.known().retain(|_, seen| !is_failure(seen));
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that the container mounts the files that this process sees. A success is not checked again.
    ///
    /// # Errors
    ///
    /// Returns an error if the engine mounts other files.
    pub(super) async fn check(&self, created: Created<'_>) -> Result<(), Error> {
        let points = MountPoints::of_process();
        let mut binds: Vec<Bind<'_>> = created.mounts.iter().filter_map(Bind::of).collect();
        // A path in a checked tree needs no check of its own.
        binds.sort_by_key(|bind| bind.path.as_os_str().len());
        for bind in binds {
            let seen = {
                let mut known = self.known();
                let within = known.iter().any(|(path, seen)| {
                    matches!(seen.get(), Some(Ok(())))
                        && bind.path.starts_with(path)
                        && points.of(path) == points.of(&bind.path)
                });
                if within {
                    continue;
                }
                known.entry(bind.path.clone()).or_default().clone()
            };
            // This task may be cancelled and its container removed. The next one then checks with its own container.
            seen.get_or_init(|| bind.check(created, &points))
                .await
                .clone()?;
        }
        Ok(())
    }
}

/// The error for an engine that has nothing at a path which exists for this process.
pub(super) fn missing(created: Created<'_>, said: &str) -> Option<Error> {
    let own = created.own?;
    let mut binds = created.mounts.iter().filter_map(Bind::of);
    let bind = binds.find(|bind| said.contains(bind.from) && Path::new(bind.from).exists())?;
    Some(other_files(created.engine, bind.from, Some(own)))
}

fn other_files(engine: &Engine, from: &str, own: Option<OwnContainer<'_>>) -> Error {
    let address = &engine.info().address;
    let what =
        format!("the engine at `{address}` does not see the files that the tests see at `{from}`");
    Error::new(ErrorKind::Engine, what).with(|report| {
        let (why, help) = match own {
            Some(own) => (
                format!("{}, and the engine mounts what its own host has at that path", own.describe()),
                "mount the checkout into the container that runs the tests at the path it has on the engine's host, such as \
                 with `docker run -v \"$PWD:$PWD\" -w \"$PWD\" ..`, or run the tests on that host; for a service that \
                 does not read the source, write `source(none)`",
            ),
            None => (
                "the engine mounts what its own machine has at that path".to_owned(),
                "use an engine that runs on this machine, or share the directory with the virtual machine that the engine runs \
                 in; for a service that does not read the source, write `source(none)`",
            ),
        };
        report.details.push(why);
        report.help = Some(help.to_owned());
    })
}

/// A mounted path of this machine.
struct Bind<'a> {
    /// The path in the engine's terms.
    from: &'a str,
    /// The path in the file system's terms.
    path: PathBuf,
    at: &'a str,
}

impl<'a> Bind<'a> {
    fn of(mount: &'a MountSpec) -> Option<Self> {
        match mount {
            MountSpec::Bind { from, at, .. } => Some(Self {
                from,
                path: fs::canonicalize(from).ok()?,
                at,
            }),
            _ => None,
        }
    }

    /// The path in the container of a path of this machine. `None` if something else is mounted there.
    fn in_container(&self, path: &Path, mounts: &[MountSpec]) -> Option<String> {
        let below = path.strip_prefix(&self.path).ok()?;
        let there = Path::new(self.at).join(below);
        let there: PathBuf = there.components().collect();
        let over = mounts.iter().map(MountSpec::at);
        let innermost = over
            .filter(|at| there.starts_with(at))
            .max_by_key(|at| Path::new(at).components().count());
        (innermost == Some(self.at))
            .then(|| there.to_str().map(str::to_owned))
            .flatten()
    }

    async fn check(&self, created: Created<'_>, points: &MountPoints) -> Result<(), Error> {
        let Created { engine, id, .. } = created;
        let evidence = self.evidence(created.mounts, points);
        let seen_within = match created.own {
            // The engine is on this machine.
            Some(OwnContainer::OfEngine(_)) => Duration::ZERO,
            _ => SEEN_WITHIN,
        };
        let until = Instant::now() + seen_within;
        while evidence.look(engine, id).await == Seen::Other {
            if Instant::now() < until {
                sleep(PACE).await;
                continue;
            }
            // An engine may not show mounts before the container runs, and the container may be gone by now.
            let shows_mounts = found(engine, id, self.at).await != Found::Nothing;
            let is_there = engine.inspect(id).await.is_ok();
            if !is_there || !shows_mounts || self.has_same_content(engine, id).await {
                return Ok(());
            }
            return Err(other_files(engine, self.from, created.own));
        }
        Ok(())
    }

    fn evidence(&self, mounts: &[MountSpec], points: &MountPoints) -> Evidence {
        let in_container = |path: &Path| {
            let same_mount = points.of(path) == points.of(&self.path);
            same_mount.then(|| self.in_container(path, mounts))?
        };
        let of_executable = || {
            let executable = std::env::current_exe().ok()?.canonicalize().ok()?;
            let at = in_container(&executable)?;
            let marker = executable.parent().and_then(Marker::write);
            Some(match marker {
                Some(marker) => Evidence::Marker {
                    at: in_container(&marker.0)?,
                    _marker: marker,
                },
                // Cargo has just made the file, so another tree has a different one.
                None => Evidence::Files(vec![(executable, at)]),
            })
        };
        of_executable().unwrap_or_else(|| {
            let files = files(&self.path).into_iter();
            let files = files.filter_map(|path| in_container(&path).map(|at| (path, at)));
            Evidence::Files(files.take(FILES).collect())
        })
    }

    /// Whether a single file is the same, regardless of its time.
    async fn has_same_content(&self, engine: &Engine, container: &str) -> bool {
        let Ok(own) = fs::read(&self.path) else {
            return false;
        };
        let mut archive = Vec::new();
        let mut pieces = engine.download(container, self.at);
        while let Some(Ok(piece)) = pieces.next().await {
            archive.extend(piece);
        }
        let mut content = Vec::new();
        let mut archive = tar::Archive::new(&archive[..]);
        let mut entries = archive.entries().into_iter().flatten();
        let Some(Ok(mut file)) = entries.next() else {
            return false;
        };
        io::copy(&mut file, &mut content).is_ok() && content == own
    }
}

/// What is compared.
#[derive(Debug)]
enum Evidence {
    /// A marker whose name is unique.
    Marker { at: String, _marker: Marker },
    /// Files of this machine, and their paths in the container.
    Files(Vec<(PathBuf, String)>),
}

/// What an engine shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Same,
    Other,
    /// Unknown.
    Unknown,
}

impl Evidence {
    async fn look(&self, engine: &Engine, container: &str) -> Seen {
        match self {
            Self::Marker { at, .. } => match found(engine, container, at).await {
                Found::Entry { .. } => Seen::Same,
                Found::Nothing => Seen::Other,
                Found::Unknown => Seen::Unknown,
            },
            Self::Files(files) => {
                let mut seen = Seen::Unknown;
                for (path, at) in files {
                    match same(engine, container, path, at).await {
                        // Other files may change meanwhile.
                        Seen::Same => return Seen::Same,
                        Seen::Other => seen = Seen::Other,
                        Seen::Unknown => {}
                    }
                }
                seen
            }
        }
    }
}

/// Whether a file is the same, by its size and time.
async fn same(engine: &Engine, container: &str, path: &Path, at: &str) -> Seen {
    let own = || {
        fs::symlink_metadata(path)
            .ok()
            .map(|own| size_and_time(&own))
    };
    let before = own();
    let found = found(engine, container, at).await;
    match (before, found) {
        // The file is being changed.
        _ if before != own() => Seen::Unknown,
        (None, _) | (_, Found::Unknown) => Seen::Unknown,
        (_, Found::Nothing) => Seen::Other,
        (Some((own_size, own_time)), Found::Entry { size, time }) => {
            match own_size == size && own_time.abs_diff(time) <= ROUNDED {
                true => Seen::Same,
                false => Seen::Other,
            }
        }
    }
}

fn size_and_time(file: &Metadata) -> (u64, u64) {
    let time = file.modified().unwrap_or(UNIX_EPOCH);
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    (file.len(), time.as_secs())
}

/// What an engine has at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// The time is in seconds.
    Entry {
        size: u64,
        time: u64,
    },
    Unknown,
}

async fn found(engine: &Engine, container: &str, at: &str) -> Found {
    match head::look(engine, container, at).await {
        Head::Nothing => Found::Nothing,
        Head::Unknown => Found::Unknown,
        Head::Entry(entry) => match entry.header.mtime() {
            Ok(time) => Found::Entry {
                size: entry.size,
                time,
            },
            Err(_) => Found::Unknown,
        },
    }
}

/// The files of a directory, the nearest first, or the file itself.
fn files(path: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![path.to_owned()];
    let mut looked_at = 0;
    if path.is_file() {
        return vec![path.to_owned()];
    }
    while files.is_empty() && !directories.is_empty() {
        let mut below = Vec::new();
        for directory in &directories {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                looked_at += 1;
                match entry.file_type() {
                    Ok(kind) if kind.is_file() => files.push(entry.path()),
                    Ok(kind) if kind.is_dir() => below.push(entry.path()),
                    _ => {}
                }
                if looked_at >= ENTRIES {
                    return files;
                }
            }
        }
        directories = below;
    }
    files.sort();
    files
}

/// A marker file that exists until this value is dropped.
#[derive(Debug)]
struct Marker(PathBuf);

impl Marker {
    /// Returns `None` if the file cannot be written.
    fn write(beside: &Path) -> Option<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let directory = beside.join(MARKERS);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let name = format!(
            "{}-{}-{}",
            std::process::id(),
            since.as_nanos(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = directory.join(name);
        loop {
            match fs::create_dir(&directory) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return None,
                _ => {}
            }
            match fs::write(&path, "") {
                Ok(()) => break,
                // Another process has removed the directory with its own marker.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => {
                    let _ = fs::remove_dir(&directory);
                    return None;
                }
            }
        }
        let marker = Self(path);
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let written = entry.metadata().and_then(|found| found.modified());
            let age = written.ok().and_then(|written| written.elapsed().ok());
            if age.is_some_and(|age| age > MARKER_IS_STALE_AFTER) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Some(marker)
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        if let Some(directory) = self.0.parent() {
            // The directory stays if it has other markers.
            let _ = fs::remove_dir(directory);
        }
    }
}

/// The mount points of this process. A directory in a mounted tree may be of another mount, which the engine's host
/// does not have there. Empty if the system does not list them.
struct MountPoints(Vec<PathBuf>);

impl MountPoints {
    fn of_process() -> Self {
        Self::parse(&fs::read("/proc/self/mountinfo").unwrap_or_default())
    }

    /// `605 580 254:1 /from /at rw,relatime - ext4 /dev/vda1 rw`, in which some bytes are octal numbers.
    fn parse(mounts: &[u8]) -> Self {
        let lines = mounts.split(|byte| *byte == b'\n');
        let points = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
        Self(points.map(unescaped).collect())
    }

    /// The mount point of a path.
    fn of(&self, path: &Path) -> Option<&Path> {
        let over = self.0.iter().filter(|point| path.starts_with(point));
        over.max_by_key(|point| point.components().count())
            .map(PathBuf::as_path)
    }
}

fn unescaped(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let [first, after @ ..] = rest {
        let number = after.get(..3).filter(|_| *first == b'\\');
        let number = number.and_then(|digits| std::str::from_utf8(digits).ok());
        match number.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
    path.components()
        .filter(|part| *part != Component::CurDir)
        .collect()
}

#[cfg(test)]
mod tests;
