//! The test process's side: one connection to the supervisor, and the leases.
//!
//! Calls go out at once and are matched with their answers by number. Where the supervisor runs is known to [`connection`] alone,
//! and how a process ends that has it in itself, to [`ending`].

mod connection;
mod declaration;
mod ending;
mod hooks;
mod kept;
mod launch;
mod notice;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::config::{Config, SupervisorMode};
use crate::deadline::Deadline;
use crate::declaration::Hook;
use crate::flow::Allowance;
use crate::images::Screen;
use crate::protocol::{
    Action, CallId, Caller, HookFailure, HookKind, InstanceId, LeaseId, LogLine, Message, Reply,
    Request, RequestBody,
};
use crate::settings::Settings;
use crate::supervisor::Role;
use crate::{Error, ErrorKind, Operation, run, terminal, wording};
pub(crate) use launch::Launched;

/// How long an ending process waits for an engine that does not answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// The connection of this process.
pub(crate) struct Client {
    requests: mpsc::UnboundedSender<Request>,
    next: AtomicU64,
    pending: Mutex<HashMap<CallId, Pending>>,
    /// The hooks of all declarations that were launched, by identity.
    hooks: Mutex<HashMap<String, &'static [Hook]>>,
    settings: &'static Result<Settings, Error>,
    /// What the supervisor shows to people.
    screen: Mutex<Screen>,
    /// Why nothing is answered any more: the supervisor is gone.
    lost: OnceLock<Error>,
    /// Once set, no call is answered any more: whoever waits for one, waits until the process is gone.
    ending: AtomicBool,
}

/// Which instances a launch asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instances {
    /// Of each service one of the scope that is declared.
    AsDeclared,
    /// Of each service one of the launch's own.
    Own,
}

enum Pending {
    Answer(oneshot::Sender<Result<Reply, Error>>),
    /// Someone who cannot use an async primitive: a process that is ending.
    Ending(Arc<Gone>),
    Lines(mpsc::UnboundedSender<Result<LogLine, Error>>),
    /// The pieces of an archive.
    Pieces(mpsc::UnboundedSender<Result<Vec<u8>, Error>>),
    /// Someone who sends what belongs to the call meanwhile.
    Sending {
        answer: oneshot::Sender<Result<Reply, Error>>,
        allowance: Allowance,
    },
}

impl Pending {
    /// There is the answer. Who has gone does not need it.
    fn end(self, outcome: Result<Reply, Error>) {
        match self {
            Self::Answer(answer) => _ = answer.send(outcome),
            Self::Ending(gone) => gone.set(),
            // An error is the last item of a stream, dropping the sender ends it.
            Self::Lines(lines) => _ = outcome.map_err(|error| lines.send(Err(error))),
            Self::Pieces(pieces) => _ = outcome.map_err(|error| pieces.send(Err(error))),
            Self::Sending { answer, allowance } => {
                allowance.stop();
                let _ = answer.send(outcome);
            }
        }
    }
}

/// A call with which something is sent.
pub(crate) struct Sending {
    pub(crate) call: CallId,
    /// What may be sent of it.
    pub(crate) allowance: Allowance,
    pub(crate) answer: oneshot::Receiver<Result<Reply, Error>>,
}

/// Set when the supervisor has removed everything.
#[derive(Default)]
struct Gone {
    gone: Mutex<bool>,
    changed: Condvar,
}

impl Gone {
    fn set(&self) {
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Blocks until it is set, or patience is at its end. Uses nothing of an async runtime and no thread-local value:
    /// it runs while the process ends.
    fn wait(&self) {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let (gone, waited) = self
            .changed
            .wait_timeout_while(gone, PATIENCE, |gone| !*gone)
            .unwrap_or_else(PoisonError::into_inner);
        drop(gone);
        if waited.timed_out() {
            terminal::not_removed(PATIENCE);
        }
    }
}

impl Client {
    /// The client of this process at the run's supervisor, connected at first use.
    pub(crate) fn get() -> &'static Self {
        static CLIENT: OnceLock<&'static Client> = OnceLock::new();
        CLIENT.get_or_init(|| {
            let client = Self::open(Role::Run);
            if client.mode() == SupervisorMode::InProcess {
                ending::register(client);
            }
            client
        })
    }

    /// The client of this process at the keeper, connected at first use, and anew where the keeper has gone.
    fn keeper() -> &'static Self {
        static CLIENT: Mutex<Option<&'static Client>> = Mutex::new(None);
        let mut client = CLIENT.lock().unwrap_or_else(PoisonError::into_inner);
        match *client {
            Some(connected) if !connected.is_lost() => connected,
            _ => client.insert(Self::open(Role::Keeper)),
        }
    }

    /// The client at the keeper, where there is one.
    ///
    /// # Errors
    ///
    /// Whether there is one cannot be found out.
    pub(crate) fn keeper_if_any() -> Result<Option<&'static Self>, Error> {
        let settings = Self::settings().as_ref().map_err(Error::clone)?;
        let found = run::find_keeper(&settings.engine_choice()).map_err(|error| {
            let what = wording::chain(&error);
            Error::new(ErrorKind::Engine, what)
        })?;
        Ok(found.map(|_| Self::keeper()))
    }

    /// The settings of this process, for all its clients.
    fn settings() -> &'static Result<Settings, Error> {
        static SETTINGS: OnceLock<Result<Settings, Error>> = OnceLock::new();
        SETTINGS.get_or_init(Settings::of_process)
    }

    fn open(role: Role) -> &'static Self {
        let (requests, from_client) = mpsc::unbounded_channel();
        let client: &'static Self = Box::leak(Box::new(Self {
            requests,
            next: AtomicU64::new(1),
            pending: Mutex::default(),
            hooks: Mutex::default(),
            settings: Self::settings(),
            screen: Mutex::default(),
            lost: OnceLock::new(),
            ending: AtomicBool::new(false),
        }));
        connection::open(client, role, from_client);
        client
    }

    /// The settings of this process's workspace; none where they are wrong, which every launch reports.
    pub(crate) fn config(&self) -> Option<&Config> {
        let settings = self.settings.as_ref().ok()?;
        Some(&settings.config)
    }

    /// Whose process the supervisor is in, as far as that can be chosen.
    fn mode(&self) -> SupervisorMode {
        let config = self.config();
        config.map_or(SupervisorMode::InProcess, |config| config.supervisor)
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<CallId, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hooks(&self) -> MutexGuard<'_, HashMap<String, &'static [Hook]>> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, call: CallId, body: RequestBody) {
        // Where the supervisor is gone, whoever waits for an answer is told so.
        let _ = self.requests.send(Request { call, body });
    }

    fn call(
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

    /// Notes who waits for the answer to a call.
    fn expect(&self, call: CallId, who: Pending) {
        self.pending().insert(call, who);
        // Looked at after that: what is lost later finds it.
        if let Some(error) = self.lost.get() {
            self.let_go(error);
        }
    }

    /// Asks for something that concerns no instance. The request is on its way when this returns.
    pub(crate) fn ask(&self, body: RequestBody) -> Operation<Reply> {
        Operation::new(self.call(self.number(), body))
    }

    /// Does something with an instance. The request is on its way when this returns.
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

    /// Does something with an instance for which an archive or an input is to be sent.
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

    /// More of what is sent with a call.
    pub(crate) fn send_piece(&self, copy: CallId, bytes: Vec<u8>) {
        self.send(self.number(), RequestBody::Piece { copy, bytes });
    }

    /// That was all of it; or why the rest will not come.
    pub(crate) fn end_pieces(&self, copy: CallId, outcome: Result<(), String>) {
        self.send(self.number(), RequestBody::EndOfPieces { copy, outcome });
    }

    /// Has a file or directory of an instance's container copied out; its archive is received.
    pub(crate) fn copy_out(
        &self,
        instance: InstanceId,
        from: String,
        caller: Caller,
    ) -> (CallId, mpsc::UnboundedReceiver<Result<Vec<u8>, Error>>) {
        let (pieces, received) = mpsc::unbounded_channel();
        let action = Action::CopyOut { from };
        let call = self.begin_call(instance, action, caller, Pending::Pieces(pieces));
        (call, received)
    }

    /// Has something done with an instance.
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

    /// So many units of what a call streams have been read.
    pub(crate) fn have_read(&self, stream: CallId, units: u32) {
        self.send(self.number(), RequestBody::HaveRead { stream, units });
    }

    /// Nobody reads what a call streams any more.
    pub(crate) fn stop_stream(&self, stream: CallId) {
        if self.pending().remove(&stream).is_some() {
            self.send(self.number(), RequestBody::StopStream { stream });
        }
    }

    /// Has everything removed. From now on nothing is launched or answered any more.
    fn close(&self) -> Arc<Gone> {
        let gone = Arc::new(Gone::default());
        self.ending.store(true, Ordering::SeqCst);
        let call = self.number();
        self.expect(call, Pending::Ending(gone.clone()));
        self.send(call, RequestBody::Close);
        gone
    }

    /// Keeps a test that finds its services gone from telling of it, for the process is about to end: then this does
    /// not return.
    pub(crate) fn stay_while_ending(&self) {
        if self.ending.load(Ordering::SeqCst) {
            ending::stay();
        }
    }

    fn receive(&'static self, message: Message) {
        match message {
            Message::Answer { call, outcome } => {
                if let Some(who) = self.take_pending(call) {
                    who.end(outcome);
                }
            }
            Message::Line { call, line } => {
                if let Some(Pending::Lines(lines)) = self.pending().get(&call) {
                    let _ = lines.send(Ok(line));
                }
            }
            Message::Piece { call, bytes } => {
                if let Some(Pending::Pieces(pieces)) = self.pending().get(&call) {
                    let _ = pieces.send(Ok(bytes));
                }
            }
            Message::HaveRead { call, units } => {
                if let Some(Pending::Sending { allowance, .. }) = self.pending().get(&call) {
                    allowance.give_back(units);
                }
            }
            Message::Show(shown) => {
                let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
                screen.show(shown);
            }
            Message::Hook {
                hook,
                kind,
                identity,
                binding,
                service,
            } => {
                let function = self
                    .hooks()
                    .get(&identity)
                    .and_then(|hooks| hooks.get(binding))
                    .copied();
                match function {
                    Some(function) => hooks::run(self, hook, kind, function, *service),
                    None => {
                        let why = "the function is not here".to_owned();
                        self.hook_ended(hook, Err(HookFailure::Failed(why)));
                    }
                }
            }
        }
    }

    /// Who waits for the answer to this call; nobody where it must not be answered.
    fn take_pending(&self, call: CallId) -> Option<Pending> {
        let mut pending = self.pending();
        let is_ending = self.ending.load(Ordering::SeqCst);
        if is_ending && !matches!(pending.get(&call), Some(Pending::Ending(_))) {
            return None;
        }
        pending.remove(&call)
    }

    /// The supervisor is gone: nothing is answered any more, but with this error.
    fn lose(&self, error: Error) {
        self.let_go(self.lost.get_or_init(|| error));
    }

    /// Whether the supervisor is gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }

    /// Tells everyone who waits that there will be no answer.
    fn let_go(&self, error: &Error) {
        let waiting: Vec<CallId> = self.pending().keys().copied().collect();
        for call in waiting {
            if let Some(who) = self.take_pending(call) {
                who.end(Err(error.clone()));
            }
        }
    }

    fn hook_ended(&self, hook: CallId, outcome: Result<(), HookFailure>) {
        self.send(self.number(), RequestBody::HookEnded { hook, outcome });
    }
}

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

    /// No hold at all, for the handle that a function of the user's is given: the supervisor holds the service while it
    /// waits for the function.
    fn of_hook(client: &'static Client, kind: HookKind) -> Self {
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
