//! The supervisor's station: the socket on which the run's processes find it, from when it listens until it leaves.
//!
//! It must not know the messages of its clients. The supervisor decides when to leave; this module makes sure that no client is
//! lost by that.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};

use super::directory::{ElectionLock, Log, RunDirectory};
use super::startup::Startup;
use super::sweep::{self, AbandonedDirectory};
use crate::private_directory::user;

/// The pause before another attempt to accept, if the system has no descriptor for a further connection.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// A supervisor's station. Only one process has it.
#[derive(Debug)]
pub(crate) struct Station {
    directory: RunDirectory,
    listener: UnixListener,
    /// The directories of supervisors that were killed and have left resources behind.
    abandoned: Vec<AbandonedDirectory>,
}

/// A client has connected meanwhile, so the supervisor has to stay.
#[derive(Debug)]
pub(crate) struct NotYet {
    pub(crate) station: Station,
    pub(crate) stream: UnixStream,
}

impl Station {
    /// Listens, and reports that, or the reason why it cannot, to the process that has started this one. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// The socket cannot be created.
    pub(crate) fn open(startup: Startup) -> io::Result<Self> {
        match Self::listen(startup.directory.clone()) {
            Ok(mut station) => {
                startup.listens();
                station.abandoned = sweep::sweep(&station.directory);
                Ok(station)
            }
            Err(error) => {
                let socket = startup.directory.socket();
                startup.fail(&format!("cannot listen on {}: {error}", socket.display()));
                Err(error)
            }
        }
    }

    fn listen(directory: RunDirectory) -> io::Result<Self> {
        let socket = directory.socket();
        match std::fs::remove_file(&socket) {
            // Removes the socket of a supervisor that was killed. The lock is held, so no other supervisor runs.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = std::os::unix::net::UnixListener::bind(&socket)?;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            directory,
            listener: UnixListener::from_std(listener)?,
            abandoned: Vec::new(),
        })
    }

    /// The file in which the supervisor records its resources on engines. A killed supervisor of this run has left its records there.
    pub(crate) fn journal(&self) -> PathBuf {
        self.directory.journal()
    }

    /// Takes the directories of supervisors that were killed and have left resources behind. Empty after the first call.
    pub(crate) fn take_abandoned(&mut self) -> Vec<AbandonedDirectory> {
        std::mem::take(&mut self.abandoned)
    }

    /// The next connection of this user. Cancel-safe: no connection is lost if the future is dropped.
    pub(crate) async fn accept(&self) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) if is_own(&stream) => return stream,
                Ok(_) => {}
                // Either the connection is gone, or too many files are open, which passes.
                Err(_) => tokio::time::sleep(EXHAUSTED).await,
            }
        }
    }

    /// Removes the socket, unless a client has connected.
    ///
    /// A client that connects at the same moment finds the connection closed, and starts another supervisor.
    ///
    /// # Errors
    ///
    /// A client has connected.
    pub(crate) async fn close(self) -> Result<Closed, Box<NotYet>> {
        let lock = lock(&self.directory).await;
        let closed = Closed {
            directory: self.directory.clone(),
        };
        // Tokio's state of the socket may be older than the lock, so the socket itself is asked.
        let Ok(listener) = self.listener.into_std() else {
            return Ok(closed);
        };
        while let Ok((stream, _)) = listener.accept() {
            let registered = stream
                .set_nonblocking(true)
                .and_then(|()| UnixStream::from_std(stream));
            let Ok(stream) = registered else { continue };
            if !is_own(&stream) {
                continue;
            }
            let Ok(listener) = UnixListener::from_std(listener) else {
                return Ok(closed);
            };
            let station = Self { listener, ..self };
            return Err(Box::new(NotYet { station, stream }));
        }
        // Without the lock, everything is left to a later sweep.
        if lock.is_some() {
            let _ = std::fs::remove_file(self.directory.socket());
        }
        Ok(closed)
    }
}

/// The station of a supervisor without its socket: no client can find it any more.
#[derive(Debug)]
pub(crate) struct Closed {
    directory: RunDirectory,
}

impl Closed {
    /// Removes the directory, and the log unless it is kept. The directory stays if another supervisor has started meanwhile, or if
    /// the journal names resources that are left.
    pub(crate) async fn leave(self, log: Log, is_settled: bool) {
        if is_settled
            && let Some(lock) = lock(&self.directory).await
            && !self.directory.socket().exists()
        {
            self.directory.remove(lock, log);
        }
    }
}

async fn lock(directory: &RunDirectory) -> Option<ElectionLock> {
    let directory = directory.clone();
    let locking = tokio::task::spawn_blocking(move || directory.lock());
    locking.await.ok()?.ok()
}

fn is_own(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == user())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream as Client;

    use super::*;

    fn station(name: &str) -> Station {
        let name = format!("seatrial-station-{}-{name}", std::process::id());
        let directory = RunDirectory::below(&std::env::temp_dir().join(name), "key");
        let _lock = directory.lock().expect("nobody has it");
        std::fs::write(directory.log(), "some word").expect("a file");
        Station::listen(directory).expect("a socket")
    }

    #[tokio::test]
    async fn a_supervisor_stays_for_who_has_connected_and_leaves_when_nobody_has() {
        let station = station("waits");
        let directory = station.directory.clone();
        let client = Client::connect(directory.socket()).expect("somebody listens");
        let not_yet = station.close().await.expect_err("a client waits");
        drop(client);
        not_yet.stream.readable().await.expect("it is registered");

        // It listens as before.
        let _client = Client::connect(directory.socket()).expect("somebody listens");
        drop(not_yet.station.accept().await);
        let closed = not_yet.station.close().await;
        closed.expect("nobody waits").leave(Log::Remove, true).await;
        assert!(!directory.path().parent().expect("a parent").exists());
    }

    #[tokio::test]
    async fn a_log_is_left_where_somebody_should_read_it() {
        let station = station("log");
        let directory = station.directory.clone();
        let closed = station.close().await.expect("nobody waits");
        closed.leave(Log::Keep, true).await;
        let left: Vec<_> = std::fs::read_dir(directory.path())
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        std::fs::remove_dir_all(directory.path().parent().expect("a parent")).expect("ours");
        assert_eq!(left, ["log"]);
    }

    #[tokio::test]
    async fn a_supervisor_that_leaves_leaves_another_alone() {
        let station = station("another");
        let directory = station.directory.clone();
        let closed = station.close().await.expect("nobody waits");
        let another = Station::listen(directory.clone()).expect("a socket");
        closed.leave(Log::Remove, true).await;
        let _client = Client::connect(directory.socket()).expect("it still listens");
        drop(another.accept().await);
        let closed = another.close().await.expect("nobody waits");
        closed.leave(Log::Remove, true).await;
        assert!(!directory.path().exists());
    }

    #[tokio::test]
    async fn a_supervisor_leaves_nothing_alone_while_another_starts() {
        let station = station("lock");
        let directory = station.directory.clone();
        let lock = directory.lock().expect("nobody has it");
        let mut closing = std::pin::pin!(station.close());
        assert!(futures_util::poll!(closing.as_mut()).is_pending());
        let client = Client::connect(directory.socket()).expect("it still listens");
        drop(lock);
        let not_yet = closing.await.expect_err("a client waits");
        drop(client);
        let closed = not_yet.station.close().await;
        closed.expect("nobody waits").leave(Log::Remove, true).await;
    }
}
