//! What jobs leave behind: copied to this machine, owned by the user who runs the tests. Reports among it are read.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use crate::engine::{Engine, EngineError, EngineErrorKind};
use crate::junit::{self, Cases};
use crate::{Error, files};

/// What was copied of a job's artifacts.
#[derive(Debug, Default)]
pub(super) struct Artifacts {
    /// Why some are not there, or not whole.
    pub(super) problems: Vec<String>,
    pub(super) reports: Vec<TestReport>,
    /// Why files that look like reports are not among them. They were copied.
    pub(super) unread: Vec<String>,
}

/// A report of a test tool.
#[derive(Debug)]
pub(super) struct TestReport {
    /// Its path on this machine, relative to the package.
    pub(super) path: String,
    pub(super) cases: Cases,
}

/// What was copied for one artifact.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// The files that may be reports.
    reports: Vec<PathBuf>,
    /// What is of a kind that is not copied.
    left_out: Vec<String>,
}

/// Why an artifact was not copied.
#[derive(Debug)]
pub(super) enum NotCopied {
    /// It is not in the container.
    Missing,
    Engine(EngineError),
    Files(Error),
}

impl Artifacts {
    /// Adds the artifact `from` of a container. Files are named relative to the directory `package`.
    pub(super) fn add(&mut self, from: &str, package: &Path, copied: Result<Copied, NotCopied>) {
        let copied = match copied {
            Ok(copied) => copied,
            Err(error) => {
                self.problems.push(match error {
                    NotCopied::Missing => format!("it has left no `{from}`"),
                    NotCopied::Engine(error) => format!("cannot copy `{from}`: {error}"),
                    NotCopied::Files(error) => {
                        format!("cannot copy `{from}`: {}", error.report().what)
                    }
                });
                return;
            }
        };
        self.problems.extend(copied.left_out);
        for file in copied.reports {
            let path = file.strip_prefix(package).unwrap_or(&file);
            let path = path.to_string_lossy().into_owned();
            match read(&file) {
                Ok(Some(cases)) => self.reports.push(TestReport { path, cases }),
                Ok(None) => {}
                Err(error) => self
                    .unread
                    .push(format!("cannot read the report `{path}`: {error}")),
            }
        }
    }
}

/// The cases of a report. `None` if it is another file.
fn read(file: &Path) -> Result<Option<Cases>, String> {
    let failed = |error: io::Error| error.to_string();
    if fs::metadata(file).map_err(failed)?.len() > junit::MOST {
        return Err(format!("it is larger than {} MiB", junit::MOST >> 20));
    }
    let bytes = fs::read(file).map_err(failed)?;
    junit::cases(&String::from_utf8_lossy(&bytes))
}

/// Copies the file or directory `from` of a container to `to` on this machine.
pub(super) async fn copy(
    engine: &Engine,
    container: &str,
    from: &str,
    to: &Path,
) -> Result<Copied, NotCopied> {
    let (pieces, received) = mpsc::channel(4);
    let (unpack_from, unpack_to) = (from.to_owned(), to.to_owned());
    let unpacking = tokio::task::spawn_blocking(move || {
        let mut reports = Vec::new();
        let is_report = |path: &Path| path.extension().is_some_and(|it| it == "xml");
        let tar = Received::new(received);
        let mut note = |file: &Path| {
            if is_report(file) {
                reports.push(file.to_owned());
            }
        };
        let left_out = files::unpack_noting(tar, &unpack_from, &unpack_to, &mut note)?;
        let left_out = left_out.into_result().err();
        Ok(Copied {
            reports,
            left_out: left_out.map_or_else(Vec::new, |error| error.report().details.clone()),
        })
    });
    let mut tar = engine.download(container, from);
    let mut failed = None;
    while let Some(piece) = tar.next().await {
        let piece = piece.map_err(|error| {
            let text = error.to_string();
            failed = Some(error);
            io::Error::other(text)
        });
        if pieces.send(piece).await.is_err() {
            break;
        }
    }
    drop(pieces);
    let unpacked = unpacking
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    match failed {
        Some(error) if error.kind == EngineErrorKind::NotFound => Err(NotCopied::Missing),
        Some(error) => Err(NotCopied::Engine(error)),
        None => unpacked.map_err(NotCopied::Files),
    }
}

/// An archive that arrives in pieces, for a thread that blocks.
struct Received {
    pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
}

impl Received {
    fn new(pieces: mpsc::Receiver<io::Result<Vec<u8>>>) -> Self {
        Self {
            pieces,
            piece: io::Cursor::default(),
        }
    }
}

impl Read for Received {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let pieces = &mut self.pieces;
        files::read_pieces(&mut self.piece, buffer, || {
            pieces.blocking_recv().transpose()
        })
    }
}
