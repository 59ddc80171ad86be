//! A hold on the services of one launch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::calls::Client;
use crate::deadline::Deadline;
use crate::protocol::{Caller, HookKind, LeaseId, RequestBody};

/// No launch's number.
const NO_LEASE: LeaseId = 0;

/// A hold on the services of one launch: given back when dropped, or when the process ends, however it ends.
pub(crate) struct Lease {
    client: &'static Client,
    id: LeaseId,
    caller: Caller,
    /// What is needed as long, and another supervisor has.
    keeping: Option<Arc<Lease>>,
    /// That of the test that launched.
    deadline: Option<Arc<Deadline>>,
    released: AtomicBool,
}

impl Lease {
    pub(crate) fn client(&self) -> &'static Client {
        self.client
    }

    /// What a launch that is asked for will hold.
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

    /// No hold at all, for the handle that a function of the user's is given: the supervisor holds the service while it
    /// waits for the function.
    pub(super) fn of_hook(client: &'static Client, kind: HookKind) -> Self {
        Self::without_hold(client, Caller::Hook(kind))
    }

    /// No hold at all.
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

    /// Its number, by which the supervisor knows it.
    pub(super) fn id(&self) -> LeaseId {
        self.id
    }

    /// Who asks for something with its handle.
    pub(crate) fn caller(&self) -> Caller {
        self.caller
    }

    /// When the time is over for the test that launched.
    pub(crate) fn deadline(&self) -> Option<Arc<Deadline>> {
        self.deadline.clone()
    }

    /// Gives the services back; their handles are of no use any more.
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
