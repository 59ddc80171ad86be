//! What a handle is, and how it asks the supervisor.

use std::fmt;
use std::sync::Arc;

use crate::Operation;
use crate::call_site::CallSite;
use crate::client::{Client, Lease};
use crate::deadline::Bound;
use crate::protocol::{Action, Reply, ServiceInfo};

/// A running service: where it is reached, what it logs, and what can be done to it.
///
/// * **Addresses**: [`addr`](Self::addr) and [`url`](Self::url) of its only port, [`addr_of`](Self::addr_of), [`url_of`](Self::url_of) and
///   [`port`](Self::port) of one of several; [`name`](Self::name) is its host name for other services.
/// * **Log**: [`logs`](Self::logs), [`log_lines`](Self::log_lines) as they come, [`wait_log`](Self::wait_log) for a line.
/// * **Commands** in its container: [`exec`](Self::exec).
/// * **Files** in its container: [`read`](Self::read) and [`write`](Self::write) the content of one, [`copy_in`](Self::copy_in) and
///   [`copy_out`](Self::copy_out) files and directories.
/// * **Life cycle**: [`stop`](Self::stop), [`start`](Self::start), [`restart`](Self::restart), [`kill`](Self::kill),
///   [`signal`](Self::signal); [`status`](Self::status) and [`ready`](Self::ready).
/// * **Faults**: [`pause`](Self::pause), [`disconnect`](Self::disconnect), and back with [`unpause`](Self::unpause) and
///   [`reconnect`](Self::reconnect).
///
/// Every operation works in async tests (`.await`) and in plain ones (`.wait()`), see [`Operation`].
///
/// A handle is cheap to clone. The service lives as long as its scope says. If nothing else uses it, it is removed when the last
/// handle is dropped.
///
/// ```no_run
/// use seatrial::{Composition, Service};
///
/// #[derive(Composition)]
/// struct Shop {
///     #[service(image = "redis:7", port = 6379)]
///     cache: Service,
/// }
///
/// #[seatrial::test]
/// async fn it_answers(shop: Shop) -> Result<(), seatrial::Error> {
///     let pong = shop.cache.exec(["redis-cli", "ping"]).await?;
///     assert_eq!(pong.stdout.trim(), "PONG");
///     println!("reachable at {}", shop.cache.addr());
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Service {
    pub(super) info: Arc<ServiceInfo>,
    pub(super) lease: Arc<Lease>,
}

impl Service {
    pub(crate) fn new(info: ServiceInfo, lease: Arc<Lease>) -> Self {
        Self {
            info: Arc::new(info),
            lease,
        }
    }

    pub(crate) fn info(&self) -> &ServiceInfo {
        &self.info
    }

    /// The limit of the waits for what this handle does.
    pub(super) fn bound(&self) -> Bound {
        Bound::of_service(self.lease.deadline(), self.info.clone())
    }

    /// The same for a call of a method, as the user wrote it. Its errors have the place of the call.
    #[track_caller]
    pub(super) fn bound_of(&self, call: impl Into<String>) -> Bound {
        self.bound().of_call(CallSite::of(call))
    }

    pub(crate) fn client(&self) -> &'static Client {
        self.lease.client()
    }

    pub(super) fn call(&self, action: Action) -> Operation<Reply> {
        let caller = self.lease.caller();
        self.client().act(self.info.instance, action, caller)
    }

    /// Sends an action on behalf of the user's call.
    #[track_caller]
    pub(super) fn act<T: 'static>(
        &self,
        call: &str,
        action: Action,
        read: impl FnOnce(Reply) -> T + Send + 'static,
    ) -> Operation<T> {
        self.act_within(self.bound_of(call), action, read)
    }

    /// Sends an action. `bound` limits the waits for it.
    pub(super) fn act_within<T: 'static>(
        &self,
        bound: Bound,
        action: Action,
        read: impl FnOnce(Reply) -> T + Send + 'static,
    ) -> Operation<T> {
        let call = self.call(action);
        // The service must not be removed while something is being done to it.
        let (lease, info) = (self.lease.clone(), self.info.clone());
        let done = Operation::new(async move {
            let reply = call.await.map_err(|error| info.with_composition(error))?;
            drop(lease);
            Ok(read(reply))
        });
        done.within(bound)
    }

    #[track_caller]
    pub(super) fn act_done(&self, call: &str, action: Action) -> Operation<()> {
        self.act(call, action, |_| ())
    }
}

pub(super) fn unexpected<T>(reply: Reply) -> T {
    unreachable!("the supervisor answers each action with its own reply, not {reply:?}")
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("field", &self.info.field)
            .field("host", &self.info.host)
            .field("published", &self.info.published)
            .field("container", &self.info.container)
            .finish()
    }
}
