//! The clients of this process: one of the run's supervisor, one of the keeper. Each is connected at first use.

use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::sync::mpsc;

use super::calls::Client;
use super::{connection, ending};
use crate::config::SupervisorMode;
use crate::settings::Settings;
use crate::supervisor::Role;
use crate::{Error, ErrorKind, run, wording};

impl Client {
    /// The client of the run's supervisor, connected at first use.
    pub(crate) fn get() -> &'static Self {
        static CLIENT: OnceLock<&'static Client> = OnceLock::new();
        CLIENT.get_or_init(|| {
            let client = Self::open(Role::Run);
            if client.mode() == SupervisorMode::InProcess {
                ending::register(client);
            }
            client
        })
    }

    /// The client of the keeper, connected at first use, and again if the keeper has ended since.
    pub(super) fn keeper() -> &'static Self {
        static CLIENT: Mutex<Option<&'static Client>> = Mutex::new(None);
        let mut client = CLIENT.lock().unwrap_or_else(PoisonError::into_inner);
        match *client {
            Some(connected) if !connected.is_lost() => connected,
            _ => client.insert(Self::open(Role::Keeper)),
        }
    }

    /// The client of the keeper. `None` if no keeper runs.
    ///
    /// # Errors
    ///
    /// It is unknown whether a keeper runs.
    pub(crate) fn keeper_if_any() -> Result<Option<&'static Self>, Error> {
        let settings = Self::settings().as_ref().map_err(Error::clone)?;
        let found = run::find_keeper(&settings.engine_choice()).map_err(|error| {
            let what = wording::chain(&error);
            Error::new(ErrorKind::Engine, what)
        })?;
        Ok(found.map(|_| Self::keeper()))
    }

    /// The settings of this process, for all its clients.
    fn settings() -> &'static Result<Settings, Error> {
        static SETTINGS: OnceLock<Result<Settings, Error>> = OnceLock::new();
        SETTINGS.get_or_init(Settings::of_process)
    }

    fn open(role: Role) -> &'static Self {
        let (requests, from_client) = mpsc::unbounded_channel();
        let client: &'static Self = Box::leak(Box::new(Self::new(requests, Self::settings())));
        connection::open(client, role, from_client);
        client
    }
}
