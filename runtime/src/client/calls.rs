//! A client: it sends its calls at once, and matches the answers with them by number.
//!
//! It must not know where the supervisor is, or what a call is for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::pending::{Gone, Pending, Sending};
use crate::config::{Config, SupervisorMode};
use crate::flow::Allowance;
use crate::images::Screen;
use crate::protocol::{
    Action, CallId, Caller, HookFailure, InstanceId, LogLine, Reply, Request, RequestBody,
};
use crate::settings::Settings;
use crate::{Error, ErrorKind, Operation};

/// The connection of this process.
pub(crate) struct Client {
    requests: mpsc::UnboundedSender<Request>,
    next: AtomicU64,
    pending: Mutex<HashMap<CallId, Pending>>,
    pub(super) settings: &'static Result<Settings, Error>,
    /// What the supervisor shows to people.
    screen: Mutex<Screen>,
    /// The error of every call once the supervisor is gone.
    lost: OnceLock<Error>,
    /// Once set, no call is answered any more: a thread that waits for an answer waits until the process has ended.
    ending: AtomicBool,
}

impl Client {
    /// A client that sends its requests to `requests`.
    pub(super) fn new(
        requests: mpsc::UnboundedSender<Request>,
        settings: &'static Result<Settings, Error>,
    ) -> Self {
        Self {
            requests,
            next: AtomicU64::new(1),
            pending: Mutex::default(),
            settings,
            screen: Mutex::default(),
            lost: OnceLock::new(),
            ending: AtomicBool::new(false),
        }
    }

    /// The settings of this process's workspace. `None` if they have mistakes, which every launch reports.
    pub(crate) fn config(&self) -> Option<&Config> {
        let settings = self.settings.as_ref().ok()?;
        Some(&settings.config)
    }

    /// The process that has the supervisor, as configured.
    pub(super) fn mode(&self) -> SupervisorMode {
        let config = self.config();
        config.map_or(SupervisorMode::InProcess, |config| config.supervisor)
    }

    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, HashMap<CallId, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process is ending.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    pub(super) fn send(&self, call: CallId, body: RequestBody) {
        // If the supervisor is gone, the call fails by other means.
        let _ = self.requests.send(Request { call, body });
    }

    pub(super) fn call(
        &self,
        call: CallId,
        body: RequestBody,
    ) -> impl Future<Output = Result<Reply, Error>> + use<> {
        let (answer, answered) = oneshot::channel();
        self.expect(call, Pending::Answer(answer));
        self.send(call, body);
        async move {
            answered.await.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Interrupted, "the process is ending"))
            })
        }
    }

    /// Registers the receiver of the answer to a call.
    pub(super) fn expect(&self, call: CallId, who: Pending) {
        self.pending().insert(call, who);
        // Checked after the registration: a loss that comes later finds the receiver.
        if let Some(error) = self.lost.get() {
            self.let_go(error);
        }
    }

    /// Sends a request that concerns no instance. The request is queued when this returns.
    pub(crate) fn ask(&self, body: RequestBody) -> Operation<Reply> {
        Operation::new(self.call(self.number(), body))
    }

    /// Sends an action on an instance. The request is queued when this returns.
    pub(crate) fn act(
        &self,
        instance: InstanceId,
        action: Action,
        caller: Caller,
    ) -> Operation<Reply> {
        let act = RequestBody::Act {
            instance,
            action,
            caller,
        };
        Operation::new(self.call(self.number(), act))
    }

    /// Follows an instance's log.
    pub(crate) fn follow(
        &self,
        instance: InstanceId,
        action: Action,
    ) -> (CallId, mpsc::UnboundedReceiver<Result<LogLine, Error>>) {
        let (lines, received) = mpsc::unbounded_channel();
        let call = self.begin_call(instance, action, Caller::Handle, Pending::Lines(lines));
        (call, received)
    }

    /// Sends an action on an instance whose archive or input follows in pieces.
    pub(crate) fn act_sending(
        &self,
        instance: InstanceId,
        action: Action,
        caller: Caller,
    ) -> Sending {
        let (answer, answered) = oneshot::channel();
        let allowance = Allowance::new();
        let pending = Pending::Sending {
            answer,
            allowance: allowance.clone(),
        };
        let call = self.begin_call(instance, action, caller, pending);
        Sending {
            call,
            allowance,
            answer: answered,
        }
    }

    /// Sends the next piece of a call's archive or input.
    pub(crate) fn send_piece(&self, copy: CallId, bytes: Vec<u8>) {
        self.send(self.number(), RequestBody::Piece { copy, bytes });
    }

    /// Ends the pieces of a call. An error says why the rest will not come.
    pub(crate) fn end_pieces(&self, copy: CallId, outcome: Result<(), String>) {
        self.send(self.number(), RequestBody::EndOfPieces { copy, outcome });
    }

    /// Copies a file or directory, or what a link leads to, out of an instance's container. Its archive is received in pieces.
    pub(crate) fn copy_out(
        &self,
        instance: InstanceId,
        from: String,
        follow: bool,
        caller: Caller,
    ) -> (CallId, mpsc::UnboundedReceiver<Result<Vec<u8>, Error>>) {
        let (pieces, received) = mpsc::unbounded_channel();
        let action = Action::CopyOut { from, follow };
        let call = self.begin_call(instance, action, caller, Pending::Pieces(pieces));
        (call, received)
    }

    /// Registers the receiver, and sends the action.
    fn begin_call(
        &self,
        instance: InstanceId,
        action: Action,
        caller: Caller,
        who: Pending,
    ) -> CallId {
        let call = self.number();
        self.expect(call, who);
        let act = RequestBody::Act {
            instance,
            action,
            caller,
        };
        self.send(call, act);
        call
    }

    /// Reports that so many units of a call's stream have been read.
    pub(crate) fn have_read(&self, stream: CallId, units: u32) {
        self.send(self.number(), RequestBody::HaveRead { stream, units });
    }

    /// Reports that nobody reads a call's stream any more.
    pub(crate) fn stop_stream(&self, stream: CallId) {
        if self.pending().remove(&stream).is_some() {
            self.send(self.number(), RequestBody::StopStream { stream });
        }
    }

    /// Has everything removed. From now on, nothing is launched, and no call is answered.
    pub(super) fn close(&self) -> Arc<Gone> {
        let gone = Arc::new(Gone::default());
        self.ending.store(true, Ordering::SeqCst);
        let call = self.number();
        self.expect(call, Pending::Ending(gone.clone()));
        self.send(call, RequestBody::Close);
        gone
    }

    /// The receiver of the answer to this call. `None` if the call must not be answered.
    pub(super) fn take_pending(&self, call: CallId) -> Option<Pending> {
        let mut pending = self.pending();
        if self.is_ending() && !matches!(pending.get(&call), Some(Pending::Ending(_))) {
            return None;
        }
        pending.remove(&call)
    }

    /// Notes that the supervisor is gone: every call fails with this error.
    pub(super) fn lose(&self, error: Error) {
        self.let_go(self.lost.get_or_init(|| error));
    }

    /// Whether the supervisor is gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }

    /// Fails every call that waits for an answer.
    fn let_go(&self, error: &Error) {
        let waiting: Vec<CallId> = self.pending().keys().copied().collect();
        for call in waiting {
            if let Some(who) = self.take_pending(call) {
                who.end(Err(error.clone()));
            }
        }
    }

    pub(super) fn hook_ended(&self, hook: CallId, outcome: Result<(), HookFailure>) {
        self.send(self.number(), RequestBody::HookEnded { hook, outcome });
    }
}
