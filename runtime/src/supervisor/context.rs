//! What all instances of a run share: the engine, the network, the images, the reaper.

use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, watch};

use super::events::Events;
use super::identity::Identity;
use super::network::{self, HostNumber, Hosts, Network};
use super::ports::Ports;
use super::reaper::Reaper;
use super::{Internal, report_leftover};
use crate::config::Config;
use crate::engine::discovery::{self, EngineChoice};
use crate::engine::{Engine, EngineError, EngineErrorKind};
use crate::images::Images;
use crate::{Error, ErrorKind};

/// Shared by all instances of a run.
pub(super) struct Context {
    pub(super) config: Arc<Config>,
    pub(super) identity: Identity,
    pub(super) reaper: Reaper,
    pub(super) ports: Ports,
    pub(super) images: Images,
    pub(super) events: Events,
    pub(super) internal: mpsc::UnboundedSender<Internal>,
    hosts: Hosts,
    engine: Once<Arc<dyn Engine>>,
    network: Once<Network>,
}

/// Something that is made once, by a task of its own: who waits for it may be cancelled, the making is not, so what it
/// made is never forgotten. A failure is remembered like a success.
struct Once<T>(OnceLock<watch::Receiver<Option<Result<T, Error>>>>);

impl<T: Clone + Send + Sync + 'static> Once<T> {
    fn new() -> Self {
        Self(OnceLock::new())
    }

    async fn get(
        &self,
        make: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let made = self.0.get_or_init(|| {
            let (sender, receiver) = watch::channel(None);
            tokio::spawn(async move {
                let _ = sender.send(Some(make.await));
            });
            receiver
        });
        Self::outcome(made.clone()).await
    }

    /// What was made, if anyone ever asked for it.
    async fn made(&self) -> Option<T> {
        Self::outcome(self.0.get()?.clone()).await.ok()
    }

    async fn outcome(mut made: watch::Receiver<Option<Result<T, Error>>>) -> Result<T, Error> {
        match made.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => Err(Error::new(
                ErrorKind::Engine,
                "the preparation of the run broke off",
            )),
        }
    }
}

impl Context {
    pub(super) fn new(config: Arc<Config>, internal: mpsc::UnboundedSender<Internal>) -> Arc<Self> {
        let identity = Identity::of_process();
        Arc::new(Self {
            events: Events::new(identity.run.clone(), config.events.as_ref()),
            images: Images::new(&config),
            config,
            identity,
            reaper: Reaper::new(),
            ports: Ports::default(),
            internal,
            hosts: Hosts::new(),
            engine: Once::new(),
            network: Once::new(),
        })
    }

    /// The engine, found at the first call.
    pub(super) async fn engine(&self) -> Result<Arc<dyn Engine>, Error> {
        let choice = EngineChoice::from(self.config.engine.clone());
        self.engine
            .get(async move {
                discovery::connect(&choice)
                    .await
                    .map_err(|error| Error::new(ErrorKind::Engine, error.to_string()))
            })
            .await
    }

    /// The network, created at the first call.
    pub(super) async fn network(&self) -> Result<Network, Error> {
        let engine = self.engine().await?;
        let identity = self.identity.clone();
        let presence = self.reaper.presence();
        self.network
            .get(async move {
                network::create(&engine, &identity, presence)
                    .await
                    .map_err(|error| engine_error(ErrorKind::Start, &error))
            })
            .await
    }

    /// An address on the network for one more container.
    pub(super) fn next_host(&self) -> HostNumber {
        self.hosts.next()
    }

    /// Waits until every container is removed, and removes the network.
    pub(super) async fn close(&self) {
        self.reaper.drained().await;
        if let (Some(engine), Some(network)) = (self.engine.made().await, self.network.made().await)
            && let Err(error) = network::remove(&engine, &network).await
        {
            report_leftover(
                &format!("network `{}`", network::name(&self.identity)),
                &error,
            );
        }
    }
}

/// An engine's error as the user sees it, with the next step where the kind suggests one. Its words are raw.
pub(super) fn engine_error(kind: ErrorKind, error: &EngineError) -> Error {
    let kind = match error.kind {
        EngineErrorKind::Unreachable | EngineErrorKind::PermissionDenied => ErrorKind::Engine,
        _ => kind,
    };
    let help = match error.kind {
        EngineErrorKind::Unreachable => {
            "the engine went away; see that it runs (`docker info`), and run the tests again"
        }
        EngineErrorKind::PermissionDenied => {
            "let this user use the engine's socket, for Docker by adding it to the group `docker`"
        }
        EngineErrorKind::NoSpace => {
            "make room where the engine keeps its data: `docker system df` shows what takes it"
        }
        EngineErrorKind::PortTaken => {
            "choose another range of host ports with `ports = \"20000-29999\"` in seatrial.toml"
        }
        EngineErrorKind::CommandNotFound => {
            "look at `command`, `entrypoint` and `bin`: the executable must be in the image, and executable"
        }
        EngineErrorKind::MountMissing => {
            "see that the path is there, and that the engine sees this machine's files (a remote engine does not)"
        }
        EngineErrorKind::Platform => {
            "use an image for this engine's platform, or ask for one with `platform = \"linux/amd64\"`"
        }
        EngineErrorKind::NotFound
        | EngineErrorKind::Conflict
        | EngineErrorKind::Unauthorized
        | EngineErrorKind::Network
        | EngineErrorKind::Build
        | EngineErrorKind::Busy
        | EngineErrorKind::Failed => "",
    };
    Error::new(kind, error.to_string())
        .with(|report| report.help = (!help.is_empty()).then(|| help.to_owned()))
}
