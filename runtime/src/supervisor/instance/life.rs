//! The life of one instance of a service: it is brought up, serves, and is taken down.
//!
//! Everything is created before the services that it needs are ready, as all values are known beforehand. Only the
//! start waits. However the task ends, its guards hand over to the reaper what they hold.

use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use seatrial_model::{CheckKind, ImageRef, Pull, SetupKind};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::checks::Thoroughness;
use super::creation::{Container, Parts};
use super::inbox::Inbox;
use super::orders::Command;
use super::phase::Phase;
use super::running::Running;
use super::setup::NotSetUp;
use super::starting::BringUpError;
use super::state::Instance;
use crate::Error;
use crate::engine::{Engine, ImageInfo};
use crate::protocol::{Owner, ServiceInfo, Times};
use crate::supervisor::exits::Exits;
use crate::supervisor::host_ports::Published;
use crate::supervisor::messages::Internal;
use crate::supervisor::network::Network;
use crate::supervisor::owner;
use crate::supervisor::spec;

/// How soon an engine finds an image that it has. Otherwise the image is fetched, which takes longer than it takes to prepare a
/// network namespace.
const FOUND_WITHIN: Duration = Duration::from_millis(250);

impl From<NotSetUp> for BringUpError {
    fn from(error: NotSetUp) -> Self {
        match error {
            NotSetUp::Failed(error) => error.into(),
            NotSetUp::ProcessEnded => Self::Discarded,
        }
    }
}

impl Instance {
    /// Runs the instance until it is ended.
    pub(in crate::supervisor) async fn run(
        self,
        phase: watch::Sender<Phase>,
        ended: CancellationToken,
        commands: mpsc::UnboundedReceiver<Command>,
    ) {
        tokio::select! {
            biased;
            () = ended.cancelled() => {}
            () = self.live(&phase, commands) => {}
        }
    }

    async fn live(&self, phase: &watch::Sender<Phase>, commands: mpsc::UnboundedReceiver<Command>) {
        let mut inbox = Inbox::new(commands);
        let running = match self.bring_up(&mut inbox).await {
            Ok(running) => running,
            Err(error) => {
                phase.send_replace(match error {
                    BringUpError::Blocked => Phase::Blocked,
                    BringUpError::Discarded => {
                        self.record("discarded", &[]);
                        Phase::Discarded
                    }
                    BringUpError::Failed(error) => {
                        self.record("failed", &[("what", &error.report().what)]);
                        Phase::Failed(*error)
                    }
                });
                let _ = self.context.run.internal.send(Internal::Settled);
                return;
            }
        };
        self.record("ready", &[]);
        self.activity.set_step("was being checked again");
        phase.send_replace(Phase::Ready(running.info.clone()));
        while let Some(command) = inbox.next().await {
            running.serve(self, command, &mut inbox).await;
        }
    }

    async fn bring_up(&self, inbox: &mut Inbox) -> Result<Running, BringUpError> {
        let mut times = Times::default();
        self.activity.set_step("was looking for the engine");
        // Problems of the engine or the network are not the fault of this service, and other services have the same
        // problem.
        let engine = self.context.engine().await?;
        let service = self.service();
        let _ahead = self.fetch_ahead(&engine);
        self.activity.set_step("was getting its image");
        let (image, network, volumes) = tokio::try_join!(
            async {
                let image = self.image_in_time(&engine).await;
                if image.is_ok() {
                    times.image = Some(self.begun.elapsed());
                    self.record("image", &[]);
                }
                image
            },
            self.context.network(),
            async {
                let plan = &self.launch.plan;
                let volumes = self.volumes.of(&self.context, &engine, plan, service).await;
                volumes.map_err(|error| self.engine_error(&error))
            },
        )?;
        let parts = Parts {
            engine,
            image,
            network,
            volumes,
        };
        let container = self.started_container(&parts, &mut times).await?;
        let Parts {
            engine,
            image,
            network,
            ..
        } = parts;
        times.started = Some(self.begun.elapsed());
        self.record("started", &[]);
        let _ = self.container.set(container.id.clone());
        let user = spec::user(&self.launch, service);
        let user = user.as_deref().unwrap_or(&image.user);
        let owner = owner::of(&engine, &container.id, user).await;
        let record = self.recorder();
        let mut running = Running {
            exits: Exits::of(&engine, &container.id, move |code| {
                record("exited", &[("code", &code.to_string())]);
            }),
            engine,
            image,
            direct: self.context.run.reachability.is_expected(network.gateway()),
            address: network.address(self.dependencies[self.index].address),
            network: network.id.clone(),
            output_before: Mutex::default(),
            info: Arc::new(self.info(&container, &network, owner, &times)),
            endpoint: match self.seat.holder() {
                Some(holder) => holder.id().to_owned(),
                None => container.id.clone(),
            },
            container,
        };
        // Other services have the same problem.
        let own = self.context.run.identity.own_container();
        let host_ports = &self.context.run.host_ports;
        let published = Published {
            engine: &running.engine,
            container: running.id(),
            ports: &running.container.ports,
            direct: running.direct,
        };
        host_ports.check(published, own).await?;
        let seen = self
            .sees_our_files(&running.engine, &running.container)
            .shared();
        let mut checks = service.ready.iter();
        if checks.any(|check| matches!(check.kind, CheckKind::Hook { .. })) {
            seen.clone().await?;
            // The time-out begins when somebody is there to answer.
            running.until_taken(self).await?;
        }
        let ready = async {
            match &service.job {
                Some(job) => running.run_to_end(self, job, inbox).await,
                None => running.wait_ready(self, inbox, Thoroughness::All).await,
            }
        };
        let ready = tokio::select! {
            biased;
            ready = ready => ready,
            error = host_ports.out_of_reach(published, own) => Err(error),
            Err(error) = seen.clone() => Err(error),
        };
        // Without its files a service may fail in other ways, too.
        seen.await?;
        ready?;
        times.ready = Some(self.begun.elapsed());
        self.seat.is_ready();
        running.set_up(self, inbox).await?;
        if !service.setups.is_empty() {
            times.set_up = Some(self.begun.elapsed());
        }
        running.info = Arc::new(self.info(&running.container, &network, owner, &times));
        Ok(running)
    }

    /// The image. While it is fetched, a network namespace is prepared.
    async fn image_in_time(&self, engine: &Engine) -> Result<ImageInfo, Error> {
        let mut image = pin!(self.image(&self.context, engine));
        if let Ok(image) = timeout(FOUND_WITHIN, &mut image).await {
            return image;
        }
        let image = tokio::select! {
            biased;
            image = &mut image => image,
            () = self.seat.prepared() => image.await,
        };
        self.seat.goes_on();
        image
    }

    /// Begins to fetch the images of the checks and setups while the service's own image is fetched and the service
    /// starts. Each user of an image requests it again and waits for the same work.
    fn fetch_ahead(&self, engine: &Engine) -> JoinSet<()> {
        let service = self.service();
        let of_checks = service.ready.iter().filter_map(|check| match &check.kind {
            CheckKind::Probe { image, .. } => Some(image.reference()),
            _ => None,
        });
        let of_setups = service.setups.iter().filter_map(|setup| match &setup.kind {
            SetupKind::Container { image, .. } => Some(image.reference()),
            _ => None,
        });
        let images: Vec<ImageRef> = of_checks.chain(of_setups).cloned().collect();
        let mut fetching = JoinSet::new();
        for image in images {
            let (context, engine) = (self.context.clone(), engine.clone());
            fetching.spawn(async move {
                let images = &context.images;
                let _ = images.get(&engine, &image, Pull::Missing, None).await;
            });
        }
        fetching
    }

    fn info(
        &self,
        container: &Container,
        network: &Network,
        owner: Owner,
        times: &Times,
    ) -> ServiceInfo {
        let service = self.service();
        let address = network.address(self.dependencies[self.index].address);
        ServiceInfo {
            instance: self.id,
            composition: self.composition(),
            field: service.field.clone(),
            name: service.name.clone(),
            container: container.id.clone(),
            address,
            host: match container.ports.first() {
                Some(port) => port.host_ip.to_string(),
                None if self.seat.holder().is_some() => address.to_string(),
                None => Ipv4Addr::LOCALHOST.to_string(),
            },
            ports: service.ports.clone(),
            published: container.ports.clone(),
            owner,
            mounted: spec::mounted(service),
            times: times.clone(),
        }
    }
}
