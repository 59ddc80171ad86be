//! What a run records of the services that are kept: the runtime's own values are not serializable.

use std::time::Duration;

use seatrial::KeptService;
use serde::{Deserialize, Serialize};

/// A kept service, as a run was told of it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) composition: String,
    pub(crate) service: String,
    pub(crate) image: String,
    pub(crate) container: String,
    pub(crate) idle: Option<Duration>,
    pub(crate) stays: Duration,
}

impl From<KeptService> for Kept {
    fn from(kept: KeptService) -> Self {
        Self {
            composition: kept.composition,
            service: kept.service,
            image: kept.image,
            container: kept.container,
            idle: kept.idle,
            stays: kept.stays,
        }
    }
}
