//! What is known of a service that others may hold.

use std::sync::{Arc, Weak};

use super::handle::Service;
use crate::client::{Client, Lease};
use crate::protocol::{Caller, ServiceInfo};

/// A service that somebody else may hold.
pub(crate) struct WeakService {
    info: Arc<ServiceInfo>,
    lease: Weak<Lease>,
    client: &'static Client,
}

impl WeakService {
    pub(crate) fn is_held(&self) -> bool {
        self.lease.strong_count() > 0
    }

    /// Its handle, where somebody has one.
    pub(crate) fn upgrade(&self) -> Option<Service> {
        let lease = self.lease.upgrade()?;
        Some(Service {
            info: self.info.clone(),
            lease,
        })
    }

    /// A handle that keeps nothing, for a service that lives without one.
    pub(crate) fn without_hold(&self) -> Service {
        Service {
            info: self.info.clone(),
            lease: Arc::new(Lease::without_hold(self.client, Caller::Handle)),
        }
    }

    pub(crate) fn field(&self) -> &str {
        &self.info.field
    }
}

impl Service {
    /// What is known of it, without a hold on it.
    pub(crate) fn downgrade(&self) -> WeakService {
        WeakService {
            info: self.info.clone(),
            lease: Arc::downgrade(&self.lease),
            client: self.client(),
        }
    }
}
