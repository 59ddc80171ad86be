//! What instances share: all of a run share the engine, the network and the reaper, and those of clients with the
//! same settings share the configuration and the images.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use seatrial_model::{Origin, ServicePlan};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::binaries::Binaries;
use super::builds::Builds;
use super::diagnosis::engine_error;
use super::events::Events;
use super::host_files::HostFiles;
use super::host_ports::HostPorts;
use super::identity::{Identity, Role};
use super::links;
use super::messages::Internal;
use super::namespaces::{Made, Maker, Namespaces, Seat, Wish};
use super::network::{self, HostNumber, Hosts, Network};
use super::once::Once;
use super::ports::Ports;
use super::reachability::Reachability;
use super::reaper::Reaper;
use super::spec;
use super::sweep::{self, Abandoned, History};
use crate::config::{Config, Publish};
use crate::engine::discovery::{self, EngineChoice};
use crate::engine::{Engine, ImageInfo};
use crate::images::{ImageError, Images};
use crate::protocol::Launch;
use crate::settings::Settings;
use crate::{Error, ErrorKind};

/// How long the end of a supervisor retries removals that fail for a reason that passes, such as an engine that
/// restarts: first while no test process waits for it, then while one does.
const REMOVED_WITHIN: Duration = Duration::from_secs(30);
const REMOVED_WHILE_WAITED_FOR: Duration = Duration::from_secs(10);

/// How long the end of a supervisor waits for the sweep, that is, as long as the creations of others may still succeed.
const SWEPT_WITHIN: Duration = Duration::from_secs(10);

/// What all instances of a run share.
pub(super) struct Run {
    pub(super) role: Role,
    pub(super) identity: Identity,
    pub(super) reaper: Reaper,
    pub(super) ports: Ports,
    pub(super) internal: mpsc::UnboundedSender<Internal>,
    hosts: Hosts,
    /// The first engine that was found.
    engine: OnceLock<Engine>,
    network: Once<Network>,
    pub(super) host_files: HostFiles,
    pub(super) host_ports: HostPorts,
    pub(super) reachability: Arc<Reachability>,
    pub(super) namespaces: Namespaces,
    pub(super) links: links::Seen,
    pub(super) binaries: Binaries,
    /// What dead supervisors left, until the sweep begins.
    abandoned: Mutex<Option<Vec<Abandoned>>>,
    is_detached: bool,
    sweeping: Mutex<Option<JoinHandle<()>>>,
    builds: Arc<Builds>,
    /// The number of attempts to create a network. Each network has a name of its own.
    networks: AtomicU32,
}

impl Run {
    pub(super) fn new(
        role: Role,
        history: History,
        internal: mpsc::UnboundedSender<Internal>,
    ) -> Arc<Self> {
        let removed_within = match history.is_detached {
            true => REMOVED_WITHIN,
            false => REMOVED_WHILE_WAITED_FOR,
        };
        let hosts = Hosts::new();
        Arc::new(Self {
            role,
            identity: Identity::of_process(role),
            builds: Arc::new(Builds::new(history.journal.clone())),
            reaper: Reaper::new(history.journal, removed_within),
            abandoned: Mutex::new(Some(history.abandoned)),
            is_detached: history.is_detached,
            sweeping: Mutex::new(None),
            ports: Ports::default(),
            internal,
            namespaces: Namespaces::new(hosts.clone()),
            hosts,
            engine: OnceLock::new(),
            network: Once::new(),
            host_files: HostFiles::default(),
            host_ports: HostPorts::default(),
            reachability: Arc::default(),
            links: links::Seen::default(),
            binaries: Binaries::default(),
            networks: AtomicU32::new(0),
        })
    }

    /// The address of one more container on the network.
    pub(super) fn next_host(&self) -> HostNumber {
        self.hosts.next()
    }

    /// Begins the sweep of what dead supervisors left, once.
    fn sweep(&self, engine: &Engine, others: (Duration, BTreeMap<String, String>)) {
        if let Some(abandoned) = lock(&self.abandoned).take() {
            let sweeping = sweep::sweep(engine.clone(), others, abandoned, self.reaper.clone());
            *lock(&self.sweeping) = Some(tokio::spawn(sweeping));
        }
    }

    /// Waits until every container is removed, and removes the network.
    pub(super) async fn close(&self) {
        self.namespaces.close();
        self.reaper.close().await;
        if let Some(engine) = self.engine.get() {
            self.builds.close(engine, &self.reaper).await;
        }
        if let (Some(engine), Some(network)) = (self.engine.get(), self.network.made().await) {
            network::remove(engine, &network, &self.reaper).await;
        }
        let sweeping = lock(&self.sweeping).take();
        if let Some(mut sweeping) = sweeping {
            if self.is_detached {
                let _ = tokio::time::timeout(SWEPT_WITHIN, &mut sweeping).await;
            }
            sweeping.abort();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the instances of clients with the same settings share.
pub(super) struct Context {
    pub(super) run: Arc<Run>,
    pub(super) images: Images,
    pub(super) events: Events,
    settings: Settings,
    engine: Once<Engine>,
}

impl Context {
    pub(super) fn new(run: Arc<Run>, settings: Settings) -> Arc<Self> {
        let config = &settings.config;
        Arc::new(Self {
            events: Events::new(run.identity.run.clone(), config.events.as_ref()),
            images: Images::new(config, settings.variables.clone(), run.builds.clone()),
            run,
            settings,
            engine: Once::new(),
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.settings.config
    }

    /// A seat for a service. Kept services have networks of their own: they outlive the run.
    pub(super) fn seat(&self, service: &ServicePlan) -> Seat {
        let config = self.config();
        let is_joinable = self.run.role == Role::Run && spec::can_join(service);
        self.run.namespaces.seat(Wish {
            ports: service.ports.iter().map(|port| port.number).collect(),
            range: config.ports.clone(),
            published: config.publish == Publish::Always || self.settings.uses_proxy,
            changes: service.privileged || !service.cap_add.is_empty(),
            most: if is_joinable { config.namespaces } else { 0 },
        })
    }

    /// Whether these settings are the context's.
    pub(super) fn is_of(&self, settings: &Settings) -> bool {
        self.settings == *settings
    }

    /// The image that the service at `index` is made from.
    pub(super) async fn image(
        &self,
        engine: &Engine,
        launch: &Launch,
        index: usize,
    ) -> Result<ImageInfo, ImageError> {
        let service = &launch.plan.services[index];
        let platform = service.platform.as_deref();
        let reference = match &service.origin {
            Origin::Image(image) => image.reference(),
            Origin::Bin {
                base: Some(base), ..
            } => base.reference(),
            Origin::Bin { base: None, .. } => &self.config().base,
            Origin::Build(build) => {
                let source = spec::build_source(launch, index, build);
                let built = self.images.built(engine, source, service.pull, platform);
                return built.await;
            }
        };
        self.images
            .get(engine, reference, service.pull, platform)
            .await
    }

    /// Lets a launch that begins now retry what has failed before.
    pub(super) fn forget_failures(&self) {
        self.engine.forget_failure();
        self.run.network.forget_failure();
        self.run.host_files.forget_failures();
    }

    /// The engine, found at the first call. A run has one engine; settings that lead to another are an error.
    pub(super) async fn engine(&self) -> Result<Engine, Error> {
        let choice = EngineChoice::from(self.config().engine.clone());
        let variables = self.settings.variables.clone();
        let run = self.run.clone();
        let timeout = self.config().timeouts.engine;
        let others = (timeout, variables.clone());
        self.engine
            .get(async move {
                let found = discovery::connect_within(timeout, &choice, variables)
                    .await
                    .map_err(|error| Error::new(ErrorKind::Engine, error.to_string()))?;
                if run.engine.get().is_none() {
                    run.identity.look_for_own_container(&found).await;
                }
                let engine = run.engine.get_or_init(|| {
                    run.reaper.journal.engine(&found.info().address);
                    run.sweep(&found, others);
                    found.clone()
                });
                one_engine(engine, &found)?;
                Ok(engine.clone())
            })
            .await
    }

    /// The network, created at the first call.
    pub(super) async fn network(&self) -> Result<Network, Error> {
        let engine = self.engine().await?;
        let (run, its_engine) = (self.run.clone(), engine.clone());
        let network = self
            .run
            .network
            .get(async move {
                let name = match run.networks.fetch_add(1, Ordering::Relaxed) {
                    0 => run.identity.prefix.clone(),
                    count => format!("{}-{count}", run.identity.prefix),
                };
                network::create(&engine, &run.identity, name, &run.reaper)
                    .await
                    .map_err(|error| engine_error(ErrorKind::Start, &error))
            })
            .await?;
        self.run.namespaces.make_with(|| Maker {
            engine: its_engine,
            network: network.clone(),
            identity: self.run.identity.clone(),
            reaper: self.run.reaper.clone(),
            ports: self.run.ports.clone(),
            reachability: self.run.reachability.clone(),
            made: Made::default(),
        });
        Ok(network)
    }
}

/// All containers of a run are on one network, so on one engine.
fn one_engine(of_run: &Engine, found: &Engine) -> Result<(), Error> {
    let (of_run, found) = (&of_run.info().address, &found.info().address);
    if of_run == found {
        return Ok(());
    }
    let what = format!("the run uses the engine at {of_run}, and this process asks for {found}");
    Err(Error::new(ErrorKind::Configuration, what).with(|report| {
        report.help = Some(
            "give all test processes of a run the same `SEATRIAL_ENGINE`, `DOCKER_HOST` and `DOCKER_CONTEXT`, or run those \
             that differ by themselves"
                .to_owned(),
        );
    }))
}
