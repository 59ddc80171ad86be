//! A kept service: who holds it, and how long it stays without a holder.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use seatrial_model::{Origin, Plan};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::protocol::{ClientId, KeptKey, LeaseId};
use crate::run::process::ProcessId;
use crate::supervisor::context::Context;
use crate::supervisor::instance::Phase;
use crate::terminal::Stay;

/// A holder of a service.
pub(super) type Holder = (ClientId, LeaseId);

/// A kept service.
pub(super) struct Kept {
    pub(super) key: KeptKey,
    pub(super) composition: String,
    pub(super) field: String,
    pub(super) image: String,
    /// How long the service stays without a holder.
    pub(super) stays: Duration,
    pub(super) holders: HashSet<Holder>,
    /// The time since which nobody holds it.
    pub(super) idle_since: Instant,
    /// Whether another service has replaced it. It goes with its last holder then.
    pub(super) is_retired: bool,
    /// The run that began the service, until that run is over. If the service does not come up, that run does not try
    /// again.
    pub(super) run: Option<ProcessId>,
    /// The check under way, for all who ask meanwhile with the same settings.
    pub(super) checking: Option<(Arc<Context>, watch::Receiver<Phase>)>,
}

impl Kept {
    /// The service at this position, without a holder.
    pub(super) fn new(
        key: KeptKey,
        plan: &Plan,
        index: usize,
        stays: Duration,
        run: Option<ProcessId>,
    ) -> Self {
        let service = &plan.services[index];
        let image = match &service.origin {
            Origin::Image(image) => image.to_string(),
            Origin::Bin { name, .. } => format!("{name} (binary)"),
            Origin::Build(build) => build.file(),
        };
        Self {
            key,
            composition: plan.name.clone(),
            field: service.field.clone(),
            image,
            stays,
            holders: HashSet::new(),
            idle_since: Instant::now(),
            is_retired: false,
            run,
            checking: None,
        }
    }

    /// The unit of the service: others of the same content, as long as none of them is replaced without it.
    pub(super) fn unit(&self) -> (&str, bool) {
        (&self.key.content, self.is_retired)
    }

    pub(super) fn stay(&self) -> Stay {
        Stay {
            composition: self.composition.clone(),
            service: self.field.clone(),
            stays: self.stays,
        }
    }

    /// When the service goes, unless somebody takes it.
    pub(super) fn ends(&self) -> Option<Instant> {
        match (self.holders.is_empty(), self.is_retired) {
            (false, _) => None,
            (true, true) => Some(self.idle_since),
            // The far future, if the clock cannot represent that time.
            (true, false) => self.idle_since.checked_add(self.stays),
        }
    }
}
