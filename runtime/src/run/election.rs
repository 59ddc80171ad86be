//! Connecting to the run's supervisor, which whoever finds none starts. Blocks.
//!
//! One supervisor per run: it is started under the lock of the run's directory only, and leaves under it only. That a
//! supervisor answers is not known here: one that was about to leave may close the connection instead. Whoever has
//! connected says something first, and connects again if the connection ends before the answer.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::directory::RunDirectory;
use super::error::StartError;
use super::identity::groups;
use super::membership::{Connection, Run};
use super::process::ProcessId;
use super::{peer, start};
use crate::private_directory::user;

/// Connects to the supervisor of the run, which is started if there is none.
///
/// # Errors
///
/// Why there is none.
pub(crate) fn connect(run: &Run) -> Result<Connection, StartError> {
    let directory = RunDirectory::of_user(&run.key);
    Election::new(directory, run.process).connect()
}

/// Connects to this user's keeper for an engine, which belongs to no run; it is started if there is none.
///
/// # Errors
///
/// Why there is none.
pub(crate) fn connect_to_keeper(engine: &str) -> Result<Connection, StartError> {
    keeper(engine).connect()
}

/// Connects to this user's keeper for an engine, where there is one.
///
/// # Errors
///
/// Why it cannot be connected to.
pub(crate) fn find_keeper(engine: &str) -> Result<Option<Connection>, StartError> {
    keeper(engine).find()
}

/// Another version has another keeper: it could not speak with this one's.
fn keeper(engine: &str) -> Election<'static> {
    let key = format!("keeper {} {} {engine}", env!("CARGO_PKG_VERSION"), groups());
    Election::new(RunDirectory::of_user(&key), None)
}

/// What is needed to connect or to start.
#[derive(Debug)]
pub(super) struct Election<'a> {
    pub(super) directory: RunDirectory,
    /// With whose end the run ends; none for a keeper.
    pub(super) process: Option<ProcessId>,
    /// Added to the environment of a supervisor that is started.
    pub(super) environment: &'a [(&'a str, &'a str)],
    pub(super) deadline: Duration,
}

impl Election<'_> {
    pub(super) fn new(directory: RunDirectory, process: impl Into<Option<ProcessId>>) -> Self {
        Self {
            directory,
            process: process.into(),
            environment: &[],
            deadline: start::DEADLINE,
        }
    }

    pub(super) fn connect(&self) -> Result<Connection, StartError> {
        match self.find()? {
            Some(connection) => Ok(connection),
            None => self
                .connect_or_start()
                .map(|stream| self.connection(stream)),
        }
    }

    fn find(&self) -> Result<Option<Connection>, StartError> {
        let stream = self.try_connect()?;
        Ok(stream.map(|stream| self.connection(stream)))
    }

    fn connection(&self, stream: UnixStream) -> Connection {
        Connection {
            stream,
            log: self.directory.log(),
        }
    }

    fn connect_or_start(&self) -> Result<UnixStream, StartError> {
        let lock = self
            .directory
            .lock()
            .map_err(|source| StartError::Directory {
                path: self.directory.path().to_owned(),
                source,
            })?;
        // Whoever had the lock before may have started one.
        if let Some(stream) = self.try_connect()? {
            return Ok(stream);
        }
        start::start(
            &self.directory,
            self.process,
            &lock,
            self.environment,
            self.deadline,
        )?;
        // It does not leave while the lock is held, so it was killed if it is not there.
        self.try_connect()?
            .ok_or_else(|| start::ended(&self.directory, 0))
    }

    /// The connection, unless nobody listens.
    fn try_connect(&self) -> Result<Option<UnixStream>, StartError> {
        let path = self.directory.socket();
        let connected = UnixStream::connect(&path).and_then(|stream| {
            let listener = peer::user(&stream)?;
            Ok((stream, listener))
        });
        match connected {
            Ok((stream, listener)) if listener == user() => Ok(Some(stream)),
            Ok((_, user)) => Err(StartError::AnotherUser { path, user }),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
                ) =>
            {
                Ok(None)
            }
            Err(source) => Err(StartError::Connect { path, source }),
        }
    }
}
