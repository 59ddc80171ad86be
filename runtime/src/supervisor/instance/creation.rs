//! Creating an instance's container. A guard exists before the container does, and removes it.

use std::sync::Arc;

use super::state::Instance;
use crate::Error;
use crate::engine::{
    Engine, EngineError, EngineErrorKind, ImageInfo, MountSpec, PublishedPort, all_of,
};
use crate::supervisor::host_files::{self, Created};
use crate::supervisor::links::Links;
use crate::supervisor::namespaces::Holder;
use crate::supervisor::network::Network;
use crate::supervisor::ports::{self, HeldPorts};
use crate::supervisor::reaper::{Guard, VolumeGuard};
use crate::supervisor::spec::{self, Assigned};
use crate::supervisor::tmpfs;

/// What the containers of an instance are made from.
pub(super) struct Parts {
    pub(super) engine: Engine,
    pub(super) image: ImageInfo,
    pub(super) network: Network,
    /// Names and paths of the volumes, and what keeps them.
    pub(super) volumes: (Vec<(String, String)>, Vec<Arc<VolumeGuard>>),
}

impl Instance {
    /// Creates a container of this instance with all its files, ready to be started. It joins `holder`, or has a network of
    /// its own. Returns `None` if the holder cannot be used.
    pub(super) async fn create(
        &self,
        parts: &Parts,
        holder: Option<&Holder>,
        choice: u32,
    ) -> Result<Option<Container>, Error> {
        let Parts {
            engine,
            image,
            network,
            volumes: (volumes, volume_guards),
        } = parts;
        let service = self.service();
        let ports = match holder {
            Some(holder) => holder.ports.clone(),
            None => {
                let (ports, range) = (&self.context.run.ports, &self.context.config().ports);
                let numbers = service.ports.iter().map(|port| port.number);
                let published = ports.publish(numbers, range);
                published.map_err(|port| self.attach(ports::none_free(port, range)))?
            }
        };
        let again = if choice == 0 {
            String::new()
        } else {
            format!("-{choice}")
        };
        let name = format!(
            "{}-{}-{}{again}",
            self.context.run.identity.prefix, self.id, service.name
        );
        let mut guard = self.context.run.reaper.guard(engine, name.clone());
        if holder.is_none() {
            guard.uses(HeldPorts::new(self.context.run.ports.clone(), &ports));
        }
        guard.uses(self.seat.clone());
        guard.uses(volume_guards.clone());
        guard.uses(self.removed.clone());
        let assigned = Assigned {
            name,
            image: image.id.clone(),
            network: network.id.clone(),
            address: network.address(self.dependencies[self.index].address),
            hosts: self.hosts(network),
            ports: ports.clone(),
            volumes: volumes.clone(),
            labels: self.context.run.identity.labels(),
        };
        let mut spec = spec::container(&self.launch, self.index, assigned)
            .map_err(|error| self.attach(error))?;
        let hosts = match holder {
            Some(holder) => holder.be_joined(&mut spec),
            None => Vec::new(),
        };
        let named = async {
            match holder {
                Some(holder) => holder.name_hosts(&hosts).await.is_ok(),
                None => true,
            }
        };
        let mounts = spec.mounts.clone();
        let own = self.context.run.identity.own_container();
        let created = |id| Created {
            engine,
            id,
            mounts: &mounts,
            own,
        };
        let (created_id, is_named) = tokio::join!(guard.create(spec), named);
        if !is_named || (created_id.is_err() && self.has_lost_holder().await) {
            return Ok(None);
        }
        let id = created_id.map_err(|error| {
            let missing = match error.kind {
                EngineErrorKind::MountMissing => host_files::missing(created(""), &error.message),
                _ => None,
            };
            missing.unwrap_or_else(|| self.engine_error(&error))
        })?;
        self.record("created", &[("container", &id)]);
        let (record, removed) = (self.recorder(), id.clone());
        guard.when_removed(move || record("removed", &[("container", &removed)]));
        if mounts.iter().any(MountSpec::may_change_the_host) {
            // A service must not write where the engine has something else.
            self.context.run.host_files.check(created(&id)).await?;
        }
        let user = spec::user(&self.launch, service);
        let user = user.as_deref().unwrap_or(&image.user);
        let directories = tmpfs::directories(engine, &id, &service.tmpfs, user).await;
        let mounted = spec::mounted(service);
        let links = Links {
            engine,
            container: &id,
            image: Some((&self.context.run.links, &image.id)),
        };
        for file in &service.files {
            let checked = links.check(&file.at, &mounted).await;
            checked.map_err(|error| self.attach(error))?;
        }
        if let Some(files) = spec::files(&self.launch, self.index, directories) {
            let uploaded = engine.upload(&id, "/", all_of(files)).await;
            uploaded.map_err(|error| self.engine_error(&error))?;
        }
        Ok(Some(Container {
            id,
            ports,
            guard,
            mounts,
        }))
    }

    /// Whether the instance has a holder that has ended, which anybody can bring about.
    pub(super) async fn has_lost_holder(&self) -> bool {
        match self.seat.holder() {
            Some(holder) => !holder.runs().await,
            None => false,
        }
    }

    /// Checks that the engine mounts the files that this process sees.
    ///
    /// # Errors
    ///
    /// Returns an error if it mounts others. That is not the fault of this service, and other services have the same
    /// problem.
    pub(super) async fn sees_our_files(
        &self,
        engine: &Engine,
        container: &Container,
    ) -> Result<(), Error> {
        let created = Created {
            engine,
            id: &container.id,
            mounts: &container.mounts,
            own: self.context.run.identity.own_container(),
        };
        self.context.run.host_files.check(created).await
    }
}

/// A created container.
pub(super) struct Container {
    pub(super) id: String,
    pub(super) ports: Vec<PublishedPort>,
    /// Removes the container.
    pub(super) guard: Guard,
    mounts: Vec<MountSpec>,
}

impl Container {
    pub(super) async fn start(&self) -> Result<(), EngineError> {
        self.guard.start(&self.id).await
    }
}
