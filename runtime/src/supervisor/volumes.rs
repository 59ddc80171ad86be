//! The volumes that services of one launch share: their names on the engine, and their lifetimes.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use seatrial_model::{Plan, Scope, ServicePlan};

use super::context::Context;
use super::reaper::VolumeGuard;
use crate::engine::{Engine, EngineError};
use crate::protocol::{ClientId, LeaseId};

/// The named volumes that the services of one launch share.
#[derive(Debug)]
pub(super) struct Volumes {
    /// The prefix of the engine's names for volumes that live as long as the launch.
    of_launch: String,
    /// The same for volumes of a service that lives as long as the test process. Launches that share the service share
    /// its volumes.
    of_process: String,
    /// The same for volumes of services that live as long as the run.
    of_run: String,
    made: Mutex<BTreeMap<String, Arc<VolumeGuard>>>,
}

impl Volumes {
    pub(super) fn new(
        context: &Context,
        (client, lease): (ClientId, LeaseId),
        declaration: &str,
        generation: Option<u32>,
    ) -> Self {
        let mut hasher = DefaultHasher::new();
        declaration.hash(&mut hasher);
        let declaration = hasher.finish() & 0xffff_ffff;
        let prefix = &context.run.identity.prefix;
        // The previous volumes may still exist.
        let again = generation.map_or(String::new(), |generation| format!("-{generation}"));
        Self {
            of_launch: format!("{prefix}-{client}-{lease}{again}"),
            of_process: format!("{prefix}-{client}-{declaration:08x}{again}"),
            of_run: format!("{prefix}-{declaration:08x}{again}"),
            made: Mutex::default(),
        }
    }

    /// The volumes of services that are brought up ahead, which share none with services that live longer.
    pub(super) fn ahead(context: &Context, number: u64) -> Self {
        let own = format!("{}-ahead-{number}", context.run.identity.prefix);
        Self {
            of_launch: own.clone(),
            of_process: own.clone(),
            of_run: own,
            made: Mutex::default(),
        }
    }

    /// The volumes of one service, with their names on the engine and their paths in the container. Missing ones are
    /// created.
    pub(super) async fn of(
        &self,
        context: &Context,
        engine: &Engine,
        plan: &Plan,
        service: &ServicePlan,
    ) -> Result<(Vec<(String, String)>, Vec<Arc<VolumeGuard>>), EngineError> {
        let mut mounts = Vec::new();
        let mut guards = Vec::new();
        for volume in &service.volumes {
            let Some(own) = &volume.name else { continue };
            let prefix = match widest_scope(plan, own) {
                Scope::Test => &self.of_launch,
                Scope::Binary => &self.of_process,
                Scope::Run | Scope::Keep => &self.of_run,
            };
            let name = format!("{prefix}-{own}");
            let guard = {
                let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
                made.entry(name.clone())
                    .or_insert_with(|| context.run.reaper.volume(engine, name.clone()))
                    .clone()
            };
            guard.create(context.run.identity.labels()).await?;
            mounts.push((name, volume.at.clone()));
            guards.push(guard);
        }
        Ok((mounts, guards))
    }
}

/// The widest scope of the services that use the volume of this name.
pub(super) fn widest_scope(plan: &Plan, volume: &str) -> Scope {
    let uses = |service: &&ServicePlan| {
        let mut names = service.volumes.iter().map(|volume| volume.name.as_deref());
        names.any(|name| name == Some(volume))
    };
    let scopes = plan.services.iter().filter(uses).map(|it| it.scope);
    scopes.max().unwrap_or_default()
}
