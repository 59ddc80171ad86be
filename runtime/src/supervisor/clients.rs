//! What the supervisor knows of one client: what it holds, and what it waits for.
//!
//! Numbers that clients give (calls, leases, follows) mean something within one client only. Dropping a client ends all
//! that is done to answer it.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::context::Context;
use crate::protocol::{CallId, InstanceId, LeaseId, Message, Reply};
use crate::{Error, ErrorKind};

pub(super) struct Client {
    pub(super) messages: mpsc::UnboundedSender<Message>,
    /// What its settings lead to; or what is wrong with them.
    pub(super) context: Result<Arc<Context>, Error>,
    /// Its own instances, by lease.
    leases: HashMap<LeaseId, Vec<InstanceId>>,
    follows: HashMap<CallId, AbortHandle>,
    /// What is done to answer it.
    tasks: JoinSet<()>,
}

impl Client {
    pub(super) fn new(messages: mpsc::UnboundedSender<Message>) -> Self {
        Self {
            messages,
            context: Err(Error::new(
                ErrorKind::Configuration,
                "the test process has not told its settings",
            )),
            leases: HashMap::new(),
            follows: HashMap::new(),
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

    /// Follows a log until it ends or [`unfollow`](Self::unfollow) is called.
    pub(super) fn follow(
        &mut self,
        follow: CallId,
        following: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = self.spawn(following);
        self.follows.insert(follow, task);
    }

    pub(super) fn unfollow(&mut self, follow: CallId) {
        if let Some(task) = self.follows.remove(&follow) {
            task.abort();
        }
    }

    /// Has the lease hold one more instance.
    pub(super) fn hold(&mut self, lease: LeaseId, instance: InstanceId) {
        self.leases.entry(lease).or_default().push(instance);
    }

    /// What the lease held.
    pub(super) fn take_lease(&mut self, lease: LeaseId) -> Vec<InstanceId> {
        self.leases.remove(&lease).unwrap_or_default()
    }

    pub(super) fn into_leases(self) -> impl Iterator<Item = Vec<InstanceId>> {
        self.leases.into_values()
    }

    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        // Those that have ended are let go of.
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(task)
    }
}
