//! One run of a `#[seatrial::test]`: launch, body, verdict.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{ExitCode, Termination};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::client::{Client, Instances, Launched};
use crate::private::{Declaration, FromService};
use crate::{Composition, Error, Operation, Service, terminal};

/// How long an async test that was given up may take to drop what it holds: what it drops may talk to its services, and
/// the machine may be busy.
const ABORT_GRACE: Duration = Duration::from_secs(10);

/// What the attribute says of a test.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// Module and name.
    pub name: &'static str,
    /// How long its body may take.
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
    execute(launches, move |ready, given_up| {
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
    execute(launches, move |ready, given_up| {
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
                returned = body(ready) => Some(returned.report()),
                _ = given_up => None,
            }
        });
        outcome.unwrap_or_else(|| {
            // What it has started must not be waited for either.
            runtime.shutdown_background();
            ExitCode::FAILURE
        })
    })
}

/// Resolves when the test has been given up; a body that cannot be stopped drops it.
type GivenUp = oneshot::Receiver<Infallible>;

#[track_caller]
fn execute(
    launches: Launches,
    body: impl FnOnce(Ready, GivenUp) -> ExitCode + Send + 'static,
) -> ExitCode {
    let test = launches.test;
    let held = match launch(launches) {
        Ok(held) => held,
        Err(error) => return fail(test, &error),
    };
    let ready = Ready(
        held.0
            .iter()
            .map(|(services, _)| services.iter().cloned().map(Some).collect())
            .collect(),
    );
    let (give_up, given_up) = oneshot::channel();
    let outcome = match test.timeout {
        None => catch_unwind(AssertUnwindSafe(|| body(ready, given_up))),
        Some(timeout) => {
            let running = Running::start(move || body(ready, given_up));
            match running.outcome_within(timeout) {
                Some(outcome) => outcome,
                None => {
                    held.stay_while_ending();
                    held.explain();
                    if !give_up.is_closed() {
                        drop(give_up);
                        // A moment for its values to be dropped while their services are there.
                        let _ = running.outcome_within(ABORT_GRACE);
                    }
                    held.release();
                    let what = format!(
                        "test timed out: `{}` took longer than {timeout:?}",
                        test.name
                    );
                    return fail(test, &what);
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
        held.explain();
    }
    held.release();
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
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

fn launch(launches: Launches) -> Result<Held, Error> {
    if launches.declarations.is_empty() {
        return Ok(Held(Vec::new()));
    }
    let client = Client::get();
    let launching: Vec<Operation<Launched>> = launches
        .declarations
        .into_iter()
        .map(|(declaration, instances)| {
            let test = Some(launches.test.name.to_owned());
            client.launch(declaration, instances, test)
        })
        .collect();
    let outcomes: Vec<_> = launching.into_iter().map(Operation::wait).collect();
    let held = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Held(held))
}

impl Held {
    /// Says what the services of a failed test were doing, where the test harness captures it.
    fn explain(&self) {
        let client = self.0.first().map(|(_, lease)| lease.client());
        let lines = client
            .and_then(Client::config)
            .map_or(0, |config| config.logs_on_failure);
        if lines == 0 {
            return;
        }
        let services = self.0.iter().flat_map(|(services, _)| services);
        let tails: Vec<_> = services
            .map(|service| (service, service.log_tail(lines)))
            .collect();
        for (service, tail) in tails {
            let tail = tail.wait();
            let is_read = tail.is_ok();
            eprint!("{}", terminal::log_of_failed_test(service.info(), tail));
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
