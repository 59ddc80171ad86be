//! The supervisor's place: the socket on which the run's processes find it, from when it listens until it leaves.
//!
//! It knows who connects and nothing of what they say. When to leave is the supervisor's decision; that nobody is lost
//! by it is decided here.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};

use super::directory::{Log, RunDirectory};
use super::intercept::Startup;
use super::sweep;
use crate::private_directory::user;

/// How long is waited where the system has no descriptor for a further connection.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// A supervisor's place, which only one process has.
#[derive(Debug)]
pub(crate) struct Station {
    directory: RunDirectory,
    listener: UnixListener,
}

/// Somebody has connected meanwhile, so the supervisor has to stay.
#[derive(Debug)]
pub(crate) struct NotYet {
    pub(crate) station: Station,
    pub(crate) stream: UnixStream,
}

impl Station {
    /// Listens, and says so to the process that has started this one; or says why not. Needs a runtime of tokio's.
    ///
    /// # Errors
    ///
    /// The socket cannot be made.
    pub(crate) fn open(startup: Startup) -> io::Result<Self> {
        match Self::listen(startup.directory.clone()) {
            Ok(station) => {
                startup.listens();
                sweep::sweep(&station.directory);
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
            // Of a supervisor that was killed: the lock is held, so there is no other.
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
        })
    }

    /// The next connection of this user's. Nothing is lost when the future is dropped.
    pub(crate) async fn accept(&self) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) if is_own(&stream) => return stream,
                Ok(_) => {}
                // Of the connection, which is gone; or there are too many files open, which passes.
                Err(_) => tokio::time::sleep(EXHAUSTED).await,
            }
        }
    }

    /// Leaves, unless somebody has connected: removes the socket, the log unless it is kept, and the directory.
    ///
    /// Whoever connects at this very moment finds the connection closed, and starts another supervisor.
    ///
    /// # Errors
    ///
    /// Somebody has connected.
    pub(crate) async fn close(self, log: Log) -> Result<(), Box<NotYet>> {
        let directory = self.directory.clone();
        let lock = tokio::task::spawn_blocking(move || directory.lock()).await;
        // What tokio knows of the socket may be older than the lock, so the socket itself is asked.
        let Ok(listener) = self.listener.into_std() else {
            return Ok(());
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
                return Ok(());
            };
            let station = Self {
                directory: self.directory,
                listener,
            };
            return Err(Box::new(NotYet { station, stream }));
        }
        // Without the lock everything is left to who sweeps.
        if let Ok(Ok(lock)) = lock {
            self.directory.remove(lock, log);
        }
        Ok(())
    }
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
        let not_yet = station
            .close(Log::Remove)
            .await
            .expect_err("a client waits");
        drop(client);
        not_yet.stream.readable().await.expect("it is registered");

        // It listens as before.
        let _client = Client::connect(directory.socket()).expect("somebody listens");
        drop(not_yet.station.accept().await);
        not_yet
            .station
            .close(Log::Remove)
            .await
            .expect("nobody waits");
        assert!(!directory.path().parent().expect("a parent").exists());
    }

    #[tokio::test]
    async fn a_log_is_left_where_somebody_should_read_it() {
        let station = station("log");
        let directory = station.directory.clone();
        station.close(Log::Keep).await.expect("nobody waits");
        let left: Vec<_> = std::fs::read_dir(directory.path())
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        std::fs::remove_dir_all(directory.path().parent().expect("a parent")).expect("ours");
        assert_eq!(left, ["log"]);
    }

    #[tokio::test]
    async fn a_supervisor_leaves_nothing_alone_while_another_starts() {
        let station = station("lock");
        let directory = station.directory.clone();
        let lock = directory.lock().expect("nobody has it");
        let mut closing = std::pin::pin!(station.close(Log::Remove));
        assert!(futures_util::poll!(closing.as_mut()).is_pending());
        let client = Client::connect(directory.socket()).expect("it still listens");
        drop(lock);
        let not_yet = closing.await.expect_err("a client waits");
        drop(client);
        not_yet
            .station
            .close(Log::Remove)
            .await
            .expect("nobody waits");
    }
}
