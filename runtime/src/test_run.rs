//! One run of a `#[seatrial::test]`: launch, body, verdict.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{ExitCode, Termination};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::client::{Client, Instances, Launched};
use crate::private::{Declaration, FromService};
use crate::{Composition, Error, ErrorKind, Operation, Service, terminal};

/// How long is waited at most for what a test that was given up still does: to drop what it holds, which may talk to its
/// services, or to say what they did. The machine may be busy.
const ABORT_GRACE: Duration = Duration::from_secs(10);

/// What the attribute says of a test.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// Module and name.
    pub name: &'static str,
    /// How long it may take in all: its launch, its body and its teardown.
    pub timeout: Option<Duration>,
    /// Whether its runtime has several threads.
    pub multi_thread: bool,
    /// Whether it must panic to pass.
    pub should_panic: bool,
}

/// The launches that a test's parameters ask for.
#[derive(Debug)]
pub struct Launches {
    test: Test,
    declarations: Vec<(Declaration, Instances)>,
}

impl Launches {
    /// None yet.
    pub fn new(test: Test) -> Self {
        Self {
            test,
            declarations: Vec::new(),
        }
    }

    /// One for a composition.
    pub fn composition<C: Composition>(&mut self) {
        self.declarations
            .push((C::__declaration(), Instances::AsDeclared));
    }

    /// One for a composition, of which the test has instances of its own.
    pub fn own_composition<C: Composition>(&mut self) {
        self.declarations.push((C::__declaration(), Instances::Own));
    }

    /// One for all services that are declared on parameters.
    pub fn parameters(&mut self, declaration: Declaration) {
        self.declarations.push((declaration, Instances::AsDeclared));
    }
}

/// What was launched.
#[derive(Debug)]
pub struct Ready(Vec<Vec<Option<Service>>>);

impl Ready {
    /// The composition of this launch.
    pub fn composition<C: Composition>(&mut self, launch: usize) -> C {
        C::__from_services(&mut self.0[launch].iter_mut().filter_map(Option::take))
    }

    /// The service at this position of a launch.
    ///
    /// # Panics
    ///
    /// Never: the macros take each service once.
    pub fn parameter<T: FromService>(&mut self, launch: usize, position: usize) -> T {
        T::from_service(
            self.0[launch][position]
                .take()
                .expect("each parameter is taken once"),
        )
    }
}

/// Runs a plain test.
#[track_caller]
pub fn run<R: Termination>(
    launches: Launches,
    body: impl FnOnce(Ready) -> R + Send + 'static,
) -> ExitCode {
    execute(launches, move |ready, Attempt { given_up, .. }| {
        drop(given_up);
        body(ready).report()
    })
}

/// Runs an async test, on a runtime of its own.
#[track_caller]
pub fn run_async<R: Termination, F: Future<Output = R>>(
    launches: Launches,
    body: impl FnOnce(Ready) -> F + Send + 'static,
) -> ExitCode {
    let multi_thread = launches.test.multi_thread;
    execute(launches, move |ready, Attempt { given_up, returned }| {
        let mut builder = if multi_thread {
            tokio::runtime::Builder::new_multi_thread()
        } else {
            tokio::runtime::Builder::new_current_thread()
        };
        let runtime = builder
            .enable_all()
            .build()
            .expect("a runtime for the test");
        let outcome = runtime.block_on(async {
            tokio::select! {
                biased;
                code = body(ready) => Some(code.report()),
                _ = given_up => None,
            }
        });
        match outcome {
            Some(code) => {
                returned.store(true, Ordering::SeqCst);
                // Waits for what blocks on one of its threads.
                drop(runtime);
                code
            }
            None => {
                // What it has started must not be waited for either.
                runtime.shutdown_background();
                ExitCode::FAILURE
            }
        }
    })
}

/// What a body knows of the test that runs it.
struct Attempt {
    /// Resolves when the test has been given up; a body that cannot be stopped drops it.
    given_up: oneshot::Receiver<Infallible>,
    /// Set when the function has returned, and only its teardown is left.
    returned: Arc<AtomicBool>,
}

#[track_caller]
fn execute(
    launches: Launches,
    body: impl FnOnce(Ready, Attempt) -> ExitCode + Send + 'static,
) -> ExitCode {
    let test = launches.test;
    let limit = Limit::of(test);
    let held = match launch(launches, limit) {
        Ok(held) => held,
        Err(what) => return fail(test, &what),
    };
    let ready = Ready(
        held.0
            .iter()
            .map(|(services, _)| services.iter().cloned().map(Some).collect())
            .collect(),
    );
    let (give_up, given_up) = oneshot::channel();
    let returned = Arc::new(AtomicBool::new(false));
    let attempt = Attempt {
        given_up,
        returned: returned.clone(),
    };
    let outcome = match limit {
        None => catch_unwind(AssertUnwindSafe(|| body(ready, attempt))),
        Some(limit) => {
            let running = Running::start(move || body(ready, attempt));
            match running.outcome_within(limit.left()) {
                Some(outcome) => outcome,
                None => {
                    held.stay_while_ending();
                    held.explain(Some(limit));
                    let phase = match returned.load(Ordering::SeqCst) {
                        false => "the function had not returned",
                        true => {
                            "the function had returned, and what it had started was still running on a blocking thread"
                        }
                    };
                    if !give_up.is_closed() {
                        drop(give_up);
                        // A moment for its values to be dropped while their services are there.
                        let _ = running.outcome_within(ABORT_GRACE);
                    }
                    held.release();
                    return fail(test, &limit.exceeded(test, phase));
                }
            }
        }
    };
    held.stay_while_ending();
    let failed = match &outcome {
        Ok(code) => *code != ExitCode::SUCCESS,
        Err(_) => !test.should_panic,
    };
    if failed {
        held.explain(limit);
    }
    held.release();
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// How long a test may take, from its very beginning.
#[derive(Clone, Copy)]
struct Limit {
    timeout: Duration,
    until: Instant,
}

impl Limit {
    /// None where the test has none, or one that no clock ends.
    fn of(test: Test) -> Option<Self> {
        let timeout = test.timeout?;
        let until = Instant::now().checked_add(timeout)?;
        until.checked_add(ABORT_GRACE)?;
        Some(Self { timeout, until })
    }

    fn left(self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    fn is_over(self) -> bool {
        self.left().is_zero()
    }

    /// Until when something may take that is done at the end of a test, for people to see.
    fn grace(self) -> Instant {
        self.until.max(Instant::now() + ABORT_GRACE)
    }

    fn exceeded(self, test: Test, phase: &str) -> String {
        format!(
            "test timed out: `{}` took longer than {:?}: {phase}",
            test.name, self.timeout
        )
    }
}

/// Fails a test for a reason that is none of its own.
#[track_caller]
fn fail(test: Test, why: &dyn fmt::Display) -> ExitCode {
    if test.should_panic {
        // A panic would make it pass.
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    panic!("{why}")
}

/// A test's body on a thread of its own. One that blocks cannot be stopped: its thread ends with the process.
struct Running<T>(Receiver<std::thread::Result<T>>);

impl<T: Send + 'static> Running<T> {
    fn start(body: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(1);
        let name = std::thread::current()
            .name()
            .unwrap_or("seatrial-test")
            .to_owned();
        std::thread::Builder::new()
            .name(name)
            .spawn(move || {
                // Nobody wants the outcome of a test that was given up.
                let _ = sender.send(catch_unwind(AssertUnwindSafe(body)));
            })
            .expect("a thread for the test");
        Self(receiver)
    }

    /// `None` where it is not done in time.
    fn outcome_within(&self, timeout: Duration) -> Option<std::thread::Result<T>> {
        match self.0.recv_timeout(timeout) {
            Ok(outcome) => Some(outcome),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => unreachable!("the thread sends before it ends"),
        }
    }
}

/// The services of a test, and the hold on them.
struct Held(Vec<Launched>);

/// Launches what the test asks for.
///
/// # Errors
///
/// Why the test fails, in words.
fn launch(launches: Launches, limit: Option<Limit>) -> Result<Held, String> {
    if launches.declarations.is_empty() {
        return Ok(Held(Vec::new()));
    }
    let test = launches.test;
    let client = Client::get();
    let launching: Vec<Operation<Launched>> = launches
        .declarations
        .into_iter()
        .map(|(declaration, instances)| {
            let until = limit.map(|limit| limit.until);
            client.launch(declaration, instances, Some(test.name.to_owned()), until)
        })
        .collect();
    let Some(limit) = limit else {
        let outcomes: Vec<_> = launching.into_iter().map(Operation::wait).collect();
        let held = outcomes.into_iter().collect::<Result<Vec<_>, _>>();
        return held.map(Held).map_err(|error| error.to_string());
    };
    // Who launches knows what it waits for, and says so once the time is up.
    let outcomes: Vec<_> = launching
        .into_iter()
        .map(|launching| launching.wait_until(limit.until + ABORT_GRACE))
        .collect();
    let mut held = Vec::new();
    let mut errors: Vec<String> = Vec::new();
    for outcome in outcomes {
        match outcome {
            Some(Ok(launched)) => held.push(launched),
            Some(Err(error)) => errors.push(error.to_string()),
            None => errors.push("what launches the services does not answer".to_owned()),
        }
    }
    match errors.as_slice() {
        [] => Ok(Held(held)),
        [error, ..] if !limit.is_over() => Err(error.clone()),
        errors => {
            let phase = format!("its services were being launched\n{}", errors.join("\n"));
            Err(limit.exceeded(test, &phase))
        }
    }
}

/// What comes of an operation until the test has to end.
fn in_time<T: Send + 'static>(operation: Operation<T>, until: Option<Instant>) -> Result<T, Error> {
    match until {
        None => operation.wait(),
        Some(until) => operation.wait_until(until).unwrap_or_else(|| {
            let what = "the engine has not given it in time";
            Err(Error::new(ErrorKind::Engine, what))
        }),
    }
}

impl Held {
    /// Says what the services of a failed test were doing, where the test harness captures it.
    fn explain(&self, limit: Option<Limit>) {
        let client = self.0.first().map(|(_, lease)| lease.client());
        let lines = client
            .and_then(Client::config)
            .map_or(0, |config| config.logs_on_failure);
        if lines == 0 {
            return;
        }
        let services = self.0.iter().flat_map(|(services, _)| services);
        let tails: Vec<_> = services
            .map(|service| (service, service.ended(), service.log_tail(lines)))
            .collect();
        let until = limit.map(Limit::grace);
        for (service, ended, tail) in tails {
            let ended = in_time(ended, until).ok().flatten();
            let tail = in_time(tail, until);
            let is_read = tail.is_ok();
            let text = terminal::log_of_failed_test(service.info(), ended.as_deref(), tail);
            eprint!("{text}");
            if !is_read && client.is_some_and(Client::is_lost) {
                // The others say the same.
                break;
            }
        }
    }

    /// Does not return where the process is about to end: what the test says then is not its verdict.
    fn stay_while_ending(&self) {
        if let Some((_, lease)) = self.0.first() {
            lease.client().stay_while_ending();
        }
    }

    fn release(&self) {
        for (_, lease) in &self.0 {
            lease.release();
        }
    }
}
