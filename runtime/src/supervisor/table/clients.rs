//! The supervisor's side of one client: what it holds, and what it waits for.
//!
//! Numbers that clients choose (calls, leases) are only valid within one client. Dropping a client ends all work for
//! its answers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use crate::engine::Parts;
use crate::flow::Allowance;
use crate::protocol::{CallId, InstanceId, LeaseId, Message, Reply};
use crate::run::process::ProcessId;
use crate::supervisor::context::Context;
use crate::supervisor::messages::answer;
use crate::supervisor::streams::{Incoming, Outgoing};
use crate::{Error, ErrorKind};

pub(super) struct Client {
    pub(super) messages: mpsc::UnboundedSender<Message>,
    /// The context of its settings, or what is wrong with the settings.
    pub(super) context: Result<Arc<Context>, Error>,
    /// The process whose end ends the client's run, if the client has named it.
    pub(super) process: Option<ProcessId>,
    /// Its own instances, by lease.
    leases: HashMap<LeaseId, Vec<InstanceId>>,
    streams: HashMap<CallId, Stream>,
    /// The archives that it copies in.
    incoming: HashMap<CallId, Incoming>,
    /// The declarations whose functions it has.
    launched: HashSet<String>,
    /// The work for its answers.
    tasks: JoinSet<()>,
}

/// A stream to the client for a call.
struct Stream {
    task: AbortHandle,
    allowance: Allowance,
}

impl Client {
    pub(super) fn new(messages: mpsc::UnboundedSender<Message>) -> Self {
        Self {
            messages,
            context: Err(Error::new(
                ErrorKind::Configuration,
                "the test process has not sent its settings",
            )),
            process: None,
            leases: HashMap::new(),
            streams: HashMap::new(),
            incoming: HashMap::new(),
            launched: HashSet::new(),
            tasks: JoinSet::new(),
        }
    }

    pub(super) fn send(&self, message: Message) {
        // If the client is gone, its end is on the way.
        let _ = self.messages.send(message);
    }

    pub(super) fn answer(&self, call: CallId, outcome: Result<Reply, Error>) {
        answer(&self.messages, call, outcome);
    }

    /// Answers a call with `outcome`.
    pub(super) fn answer_with(
        &mut self,
        call: CallId,
        outcome: impl Future<Output = Result<Reply, Error>> + Send + 'static,
    ) {
        let messages = self.messages.clone();
        self.spawn(async move { answer(&messages, call, outcome.await) });
    }

    /// Streams something to the client until that ends or [`stop_stream`](Self::stop_stream) is called.
    pub(super) fn stream<F>(&mut self, call: CallId, streaming: impl FnOnce(Outgoing) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let allowance = Allowance::new();
        let outgoing = Outgoing::new(self.messages.clone(), call, allowance.clone());
        let task = self.spawn(streaming(outgoing));
        self.streams.insert(call, Stream { task, allowance });
    }

    /// Notes that the client has read this many units of a stream.
    pub(super) fn have_read(&mut self, call: CallId, units: u32) {
        if let Some(stream) = self.streams.get(&call) {
            stream.allowance.give_back(units);
        }
    }

    pub(super) fn stop_stream(&mut self, call: CallId) {
        if let Some(stream) = self.streams.remove(&call) {
            stream.allowance.stop();
            stream.task.abort();
        }
    }

    /// The archive that the client is about to send for a call.
    pub(super) fn receive(&mut self, call: CallId) -> Parts<Vec<u8>> {
        let (incoming, archive) = Incoming::new(self.messages.clone(), call);
        self.incoming.insert(call, incoming);
        archive
    }

    /// Receives more of an archive.
    pub(super) fn piece(&self, call: CallId, bytes: Vec<u8>) {
        if let Some(incoming) = self.incoming.get(&call) {
            incoming.piece(bytes);
        }
    }

    pub(super) fn end_of_pieces(&mut self, call: CallId, outcome: Result<(), String>) {
        if let Some(incoming) = self.incoming.remove(&call) {
            incoming.end(outcome);
        }
    }

    /// Notes a launch of a declaration.
    pub(super) fn launches(&mut self, identity: &str) {
        self.launched.insert(identity.to_owned());
    }

    /// Whether the client has the functions of a declaration.
    pub(super) fn has_launched(&self, identity: &str) -> bool {
        self.launched.contains(identity)
    }

    /// Notes a request for a lease.
    pub(super) fn begin_lease(&mut self, lease: LeaseId) {
        self.leases.entry(lease).or_default();
    }

    /// Whether the lease was requested and not given back.
    pub(super) fn has_lease(&self, lease: LeaseId) -> bool {
        self.leases.contains_key(&lease)
    }

    /// Adds an instance to those that the lease holds.
    pub(super) fn hold(&mut self, lease: LeaseId, instance: InstanceId) {
        self.leases.entry(lease).or_default().push(instance);
    }

    /// The instances that the lease held.
    pub(super) fn take_lease(&mut self, lease: LeaseId) -> Vec<InstanceId> {
        self.leases.remove(&lease).unwrap_or_default()
    }

    pub(super) fn into_leases(self) -> impl Iterator<Item = (LeaseId, Vec<InstanceId>)> {
        self.leases.into_iter()
    }

    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        // Forgets ended tasks.
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(task)
    }
}
