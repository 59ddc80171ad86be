//! What the supervisor knows of one client: what it holds, and what it waits for.
//!
//! Numbers that clients give (calls, leases, follows) mean something within one client only. Dropping a client ends all
//! that is done to answer it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};

use super::context::Context;
use crate::protocol::{CallId, InstanceId, LINES_UNREAD, LeaseId, Message, Reply};
use crate::run::process::ProcessId;
use crate::{Error, ErrorKind};

pub(super) struct Client {
    pub(super) messages: mpsc::UnboundedSender<Message>,
    /// What its settings lead to; or what is wrong with them.
    pub(super) context: Result<Arc<Context>, Error>,
    /// With whose end its run ends, where it has said so.
    pub(super) process: Option<ProcessId>,
    /// Its own instances, by lease.
    leases: HashMap<LeaseId, Vec<InstanceId>>,
    follows: HashMap<CallId, Follow>,
    /// The declarations whose functions it has.
    launched: HashSet<String>,
    /// What is done to answer it.
    tasks: JoinSet<()>,
}

/// A log that is followed.
struct Follow {
    task: AbortHandle,
    /// How many lines may be sent.
    unread: Arc<Semaphore>,
}

impl Client {
    pub(super) fn new(messages: mpsc::UnboundedSender<Message>) -> Self {
        Self {
            messages,
            context: Err(Error::new(
                ErrorKind::Configuration,
                "the test process has not told its settings",
            )),
            process: None,
            leases: HashMap::new(),
            follows: HashMap::new(),
            launched: HashSet::new(),
            tasks: JoinSet::new(),
        }
    }

    pub(super) fn send(&self, message: Message) {
        // Where it is gone, its end is on the way.
        let _ = self.messages.send(message);
    }

    pub(super) fn answer(&self, call: CallId, outcome: Result<Reply, Error>) {
        super::answer(&self.messages, call, outcome);
    }

    /// Answers a call with what comes of `outcome`.
    pub(super) fn answer_with(
        &mut self,
        call: CallId,
        outcome: impl Future<Output = Result<Reply, Error>> + Send + 'static,
    ) {
        let messages = self.messages.clone();
        self.spawn(async move { super::answer(&messages, call, outcome.await) });
    }

    /// Follows a log until it ends or [`unfollow`](Self::unfollow) is called. `following` takes a permit for each line.
    pub(super) fn follow<F>(&mut self, call: CallId, following: impl FnOnce(Arc<Semaphore>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let unread = Arc::new(Semaphore::new(LINES_UNREAD));
        let task = self.spawn(following(unread.clone()));
        self.follows.insert(call, Follow { task, unread });
    }

    /// So many lines of a followed log have been read.
    pub(super) fn read_lines(&mut self, call: CallId, count: usize) {
        if let Some(follow) = self.follows.get(&call) {
            let missing = LINES_UNREAD.saturating_sub(follow.unread.available_permits());
            follow.unread.add_permits(count.min(missing));
        }
    }

    pub(super) fn unfollow(&mut self, call: CallId) {
        if let Some(follow) = self.follows.remove(&call) {
            follow.task.abort();
        }
    }

    /// Notes a launch of a declaration.
    pub(super) fn launches(&mut self, identity: &str) {
        self.launched.insert(identity.to_owned());
    }

    /// Whether it has the functions of a declaration.
    pub(super) fn has_launched(&self, identity: &str) -> bool {
        self.launched.contains(identity)
    }

    /// Notes that a lease is asked for.
    pub(super) fn begin_lease(&mut self, lease: LeaseId) {
        self.leases.entry(lease).or_default();
    }

    /// Whether the lease was asked for and not given back.
    pub(super) fn has_lease(&self, lease: LeaseId) -> bool {
        self.leases.contains_key(&lease)
    }

    /// Has the lease hold one more instance.
    pub(super) fn hold(&mut self, lease: LeaseId, instance: InstanceId) {
        self.leases.entry(lease).or_default().push(instance);
    }

    /// What the lease held.
    pub(super) fn take_lease(&mut self, lease: LeaseId) -> Vec<InstanceId> {
        self.leases.remove(&lease).unwrap_or_default()
    }

    pub(super) fn into_leases(self) -> impl Iterator<Item = (LeaseId, Vec<InstanceId>)> {
        self.leases.into_iter()
    }

    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        // Those that have ended are let go of.
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(task)
    }
}
