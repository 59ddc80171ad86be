//! A client's lease of the services of one launch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::calls::Client;
use crate::deadline::Deadline;
use crate::protocol::{Caller, HookKind, LeaseId, RequestBody};

/// A number that no lease of a launch has.
const NO_LEASE: LeaseId = 0;

/// A lease of the services of one launch. It ends when it is dropped, or when the process ends, for whatever reason.
pub(crate) struct Lease {
    client: &'static Client,
    id: LeaseId,
    caller: Caller,
    /// The lease of the same launch at the keeper. It lasts as long as this one.
    keeping: Option<Arc<Lease>>,
    /// The deadline of the test that launched.
    deadline: Option<Arc<Deadline>>,
    released: AtomicBool,
}

impl Lease {
    pub(crate) fn client(&self) -> &'static Client {
        self.client
    }

    /// The lease of a launch that is about to be requested.
    pub(super) fn of_launch(
        client: &'static Client,
        keeping: Option<Arc<Self>>,
        deadline: Option<Arc<Deadline>>,
    ) -> Self {
        Self {
            client,
            id: client.number(),
            caller: Caller::Handle,
            keeping,
            deadline,
            released: AtomicBool::new(false),
        }
    }

    /// A lease that holds nothing, for the handle that a user's function gets. The supervisor keeps the service while it waits
    /// for the function.
    pub(super) fn of_hook(client: &'static Client, kind: HookKind) -> Self {
        Self::without_hold(client, Caller::Hook(kind))
    }

    /// A lease that holds nothing.
    pub(crate) fn without_hold(client: &'static Client, caller: Caller) -> Self {
        Self {
            client,
            id: NO_LEASE,
            caller,
            keeping: None,
            deadline: None,
            released: AtomicBool::new(true),
        }
    }

    /// The number by which the supervisor knows the lease.
    pub(super) fn id(&self) -> LeaseId {
        self.id
    }

    /// The caller of actions with the lease's handles.
    pub(crate) fn caller(&self) -> Caller {
        self.caller
    }

    /// The deadline of the test that launched.
    pub(crate) fn deadline(&self) -> Option<Arc<Deadline>> {
        self.deadline.clone()
    }

    /// Gives the services back. Their handles cannot be used any more.
    pub(crate) fn release(&self) {
        if !self.released.swap(true, Ordering::Relaxed) {
            let release = RequestBody::Release { lease: self.id };
            self.client.send(self.client.number(), release);
            if let Some(keeping) = &self.keeping {
                keeping.release();
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.release();
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({})", self.id)
    }
}
