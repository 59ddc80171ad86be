//! A service that is kept: who holds it, and how long it stays when nobody does.

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

/// Who holds a service.
pub(super) type Holder = (ClientId, LeaseId);

/// A service that is kept.
pub(super) struct Kept {
    pub(super) key: KeptKey,
    pub(super) composition: String,
    pub(super) field: String,
    pub(super) image: String,
    /// How long it stays when nobody holds it.
    pub(super) stays: Duration,
    pub(super) holders: HashSet<Holder>,
    /// Since when nobody has held it, where nobody does.
    pub(super) idle_since: Instant,
    /// Whether another has taken its place: it goes with its last holder.
    pub(super) is_retired: bool,
    /// The run that has had it begun, until that is over. Where it does not come up, that run does not try again.
    pub(super) run: Option<ProcessId>,
    /// The look at it that is under way, for all who ask meanwhile with the same settings.
    pub(super) checking: Option<(Arc<Context>, watch::Receiver<Phase>)>,
}

impl Kept {
    /// The service at this position, which nobody holds yet.
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

    /// What it goes with: others of the same content, as long as none of them is replaced without it.
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

    /// When it goes, unless somebody takes it.
    pub(super) fn ends(&self) -> Option<Instant> {
        match (self.holders.is_empty(), self.is_retired) {
            (false, _) => None,
            (true, true) => Some(self.idle_since),
            // The far future, where that is none that the clock knows.
            (true, false) => self.idle_since.checked_add(self.stays),
        }
    }
}
