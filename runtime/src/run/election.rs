//! Connecting to the run's supervisor. A process that finds none starts one. Blocks.
//!
//! A run has one supervisor: it starts and leaves only under the lock of the run's directory. This module must not assume that a
//! supervisor answers: one that was about to leave may close the connection instead. So a client sends its greeting first, and
//! connects again if the connection ends before the answer.

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

/// Connects to the supervisor of the run. Starts it if none runs.
///
/// # Errors
///
/// The supervisor cannot be connected to, or cannot be started.
pub(crate) fn connect(run: &Run) -> Result<Connection, StartError> {
    let directory = RunDirectory::of_user(&run.key);
    Election::new(directory, run.process).connect()
}

/// Connects to this user's keeper for an engine. The keeper belongs to no run. Starts it if none runs.
///
/// # Errors
///
/// The keeper cannot be connected to, or cannot be started.
pub(crate) fn connect_to_keeper(engine: &str) -> Result<Connection, StartError> {
    keeper(engine).connect()
}

/// Connects to this user's keeper for an engine. `None` if none runs.
///
/// # Errors
///
/// The keeper cannot be connected to.
pub(crate) fn find_keeper(engine: &str) -> Result<Option<Connection>, StartError> {
    keeper(engine).find()
}

/// The election of a keeper. Each version of Seatrial has its own keeper, because versions cannot talk to each other.
fn keeper(engine: &str) -> Election<'static> {
    let key = format!("keeper {} {} {engine}", env!("CARGO_PKG_VERSION"), groups());
    Election::new(RunDirectory::of_user(&key), None)
}

/// What connecting and starting need.
#[derive(Debug)]
pub(super) struct Election<'a> {
    pub(super) directory: RunDirectory,
    /// The process with which the run ends. `None` for a keeper.
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
        // The previous holder of the lock may have started one.
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
        // A supervisor cannot leave while the lock is held. So if it is gone, it was killed.
        self.try_connect()?
            .ok_or_else(|| start::ended(&self.directory, 0))
    }

    /// The connection. `None` if nobody listens.
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
