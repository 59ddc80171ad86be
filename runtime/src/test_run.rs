//! One run of a `#[seatrial::test]`: launch, body, verdict.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{ExitCode, Termination};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::client::{Client, Instances, Launched};
use crate::composition::{FromJob, FromService, Member, NamedService, services_of};
use crate::deadline::{self, ABORT_GRACE, Deadline, NOT_RETURNED};
use crate::declaration::Declaration;
use crate::error::displayed;
use crate::package::Package;
use crate::panic_text::panic_text;
use crate::together::{self, Outcomes};
use crate::{Composition, current_test, failure_report, launched_in_test, terminal, workspace};

/// The settings of a test, from its attribute.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// Module and name.
    pub name: &'static str,
    /// The time limit for its launch, its body and its teardown together.
    pub timeout: Option<Duration>,
    /// Whether its runtime has several threads.
    pub multi_thread: bool,
    /// Whether it must panic to pass.
    pub should_panic: bool,
    /// Its package.
    pub package: Package,
}

/// The launches that a test's parameters ask for.
#[derive(Debug)]
pub struct Launches {
    test: Test,
    declarations: Vec<(Declaration, Instances)>,
}

impl Launches {
    /// Starts without launches.
    pub fn new(test: Test) -> Self {
        workspace::is_tested(test.package);
        Self {
            test,
            declarations: Vec::new(),
        }
    }

    /// Adds a launch of a composition.
    pub fn composition<C: Composition>(&mut self) {
        self.declarations
            .push((C::__declaration(), Instances::AsDeclared));
    }

    /// Adds a launch of a composition with instances of the test's own.
    pub fn own_composition<C: Composition>(&mut self) {
        self.declarations.push((C::__declaration(), Instances::Own));
    }

    /// [`composition`](Self::composition) of a type that is written `Service`.
    pub fn composition_named_service<C: NamedService>(&mut self) {
        self.composition::<C>();
    }

    /// [`own_composition`](Self::own_composition) of a type that is written `Service`.
    pub fn own_composition_named_service<C: NamedService>(&mut self) {
        self.own_composition::<C>();
    }

    /// Adds a launch of all services that are declared on parameters.
    pub fn parameters(&mut self, declaration: Declaration) {
        self.declarations.push((declaration, Instances::AsDeclared));
    }
}

/// The services of all launches.
#[derive(Debug)]
pub struct Ready(Vec<Vec<Option<Member>>>);

impl Ready {
    /// The composition of this launch.
    pub fn composition<C: Composition>(&mut self, launch: usize) -> C {
        C::__from_services(&mut self.0[launch].iter_mut().filter_map(Option::take))
    }

    /// [`composition`](Self::composition) of a type that is written `Service`.
    pub fn composition_named_service<C: NamedService>(&mut self, launch: usize) -> C {
        self.composition::<C>(launch)
    }

    /// The service at this position of a launch.
    ///
    /// # Panics
    ///
    /// Never: the macros take each service once.
    pub fn parameter<T: FromService>(&mut self, launch: usize, position: usize) -> T {
        self.take(launch, position).into_service()
    }

    /// The job at this position of a launch.
    ///
    /// # Panics
    ///
    /// Never: the macros take each job once.
    pub fn job_parameter<T: FromJob>(&mut self, launch: usize, position: usize) -> T {
        self.take(launch, position).into_job()
    }

    fn take(&mut self, launch: usize, position: usize) -> Member {
        self.0[launch][position]
            .take()
            .expect("each parameter is taken once")
    }
}

/// Runs a plain test.
#[track_caller]
pub fn run<R: Termination>(launches: Launches, body: impl FnOnce(Ready) -> R) -> ExitCode {
    execute(launches, |ready, _| Ended::returned(body(ready)))
}

/// Runs an async test, on a runtime of its own.
#[track_caller]
pub fn run_async<R: Termination, F: Future<Output = R>>(
    launches: Launches,
    body: impl FnOnce(Ready) -> F,
) -> ExitCode {
    let multi_thread = launches.test.multi_thread;
    execute(launches, |ready, attempt| {
        let mut builder = if multi_thread {
            tokio::runtime::Builder::new_multi_thread()
        } else {
            tokio::runtime::Builder::new_current_thread()
        };
        let deadline = deadline::current();
        let runtime = builder
            .enable_all()
            .on_thread_start(move || _ = deadline::set_current(deadline.clone()))
            .build()
            .expect("a runtime for the test");
        let ended = runtime.block_on(async {
            let mut body = std::pin::pin!(body(ready));
            let Some(limit) = attempt else {
                return Ok(Ended::returned(body.await));
            };
            tokio::select! {
                biased;
                result = &mut body => Ok(Ended::returned(result)),
                _ = limit.given_up => {
                    let waited_for = limit.deadline.waited_for();
                    // The report comes before the test's handles are dropped, while its services still run. If the engine
                    // hangs, each phase takes long.
                    limit.held.explain(Some(&limit.deadline), "");
                    limit.deadline.begin_phase(NOT_RETURNED);
                    launched_in_test::show("");
                    limit.deadline.begin_phase("it was given up, and dropping its values blocks");
                    Err(waited_for)
                }
            }
        });
        let ended = match ended {
            Ok(ended) => ended,
            Err(waited_for) => {
                // The wait for the test's tasks must be limited, too.
                runtime.shutdown_background();
                return Ended::GivenUp(NOT_RETURNED, waited_for);
            }
        };
        match deadline::current() {
            None => drop(runtime),
            Some(deadline) if deadline.is_over() => runtime.shutdown_background(),
            Some(deadline) if has_ended_by(runtime, deadline.until()) => {}
            Some(_) => {
                return Ended::GivenUp(
                    "the function had returned, and a task that it had started was still running on a blocking thread",
                    deadline::current().map_or_else(Vec::new, |deadline| deadline.waited_for()),
                );
            }
        }
        ended
    })
}

/// Ends a runtime. `false` if one of its threads is still blocked at `until`.
fn has_ended_by(runtime: Runtime, until: Instant) -> bool {
    let (ended, has_ended) = sync_channel(1);
    // Only a drop on another thread can be given up and drops all tasks first. A blocking thread may wait for that.
    std::thread::Builder::new()
        .name("seatrial-teardown".to_owned())
        .spawn(move || {
            drop(runtime);
            let _ = ended.send(());
        })
        .expect("a thread for the end of the runtime");
    let left = until.saturating_duration_since(Instant::now());
    has_ended.recv_timeout(left).is_ok()
}

/// The deadline of a test, for its body.
struct Limit {
    deadline: Arc<Deadline>,
    /// Resolves with an error when the time is over.
    given_up: oneshot::Receiver<Infallible>,
    held: Arc<Held>,
}

/// The end of a body that did not panic.
enum Ended {
    /// The text of the errors that its result has displayed, beside its code.
    Returned(ExitCode, String),
    /// Its time was over, while it was in this phase and waited for these operations.
    GivenUp(&'static str, Vec<String>),
}

impl Ended {
    fn returned(result: impl Termination) -> Self {
        let (code, said) = displayed::during(|| result.report());
        Self::Returned(code, said)
    }
}

#[track_caller]
fn execute(launches: Launches, body: impl FnOnce(Ready, Option<Limit>) -> Ended) -> ExitCode {
    let test = launches.test;
    let deadline = test.timeout.and_then(Deadline::new);
    let held = match launch(launches, deadline.as_ref()) {
        Ok(held) => Arc::new(held),
        Err(what) => return fail(test, &what),
    };
    let ready = Ready(
        held.launched
            .iter()
            .map(|(members, _)| members.iter().cloned().map(Some).collect())
            .collect(),
    );
    let limit = deadline.as_ref().map(|deadline| {
        let (give_up, given_up) = oneshot::channel();
        let of_watchdog = held.clone();
        let exceeded = deadline.clone();
        let name = current_test::on_this_thread();
        deadline.watch(give_up, move |phase| {
            of_watchdog.stay_while_ending();
            let mut report = of_watchdog.report(Some(exceeded.grace()), "");
            if let Some(name) = name {
                report += &launched_in_test::report(&name, "");
            }
            let text = exceeded_text(test, &exceeded, phase);
            let waited_for = exceeded.waited_for();
            report + &terminal::test_is_stuck(&(text + &terminal::waited_for(&waited_for, "")))
        });
        Limit {
            deadline: deadline.clone(),
            given_up,
            held: held.clone(),
        }
    });
    let before = deadline::set_current(deadline.clone());
    let outcome = catch_unwind(AssertUnwindSafe(|| body(ready, limit)));
    deadline::set_current(before);
    launched_in_test::mark_reported();
    let is_given_up = matches!(outcome, Ok(Ended::GivenUp(..)));
    let late = deadline.as_ref();
    let late = late.filter(|deadline| is_given_up || deadline.is_over());
    let after = late.map(|deadline| terminal::duration(deadline.elapsed()));
    if let Some(deadline) = &deadline {
        deadline.end();
    }
    held.stay_while_ending();
    let failed = match &outcome {
        Ok(Ended::Returned(code, _)) => late.is_some() || *code != ExitCode::SUCCESS,
        Ok(Ended::GivenUp(..)) => true,
        Err(_) => late.is_some() || !test.should_panic,
    };
    if failed {
        let said = match &outcome {
            Ok(Ended::Returned(_, said)) => said,
            Ok(Ended::GivenUp(..)) => "",
            Err(panic) => panic_text(panic.as_ref()).unwrap_or_default(),
        };
        held.explain(deadline.as_ref(), said);
    }
    held.release();
    let Some((deadline, after)) = late.zip(after) else {
        return match outcome {
            Ok(Ended::Returned(code, _)) => code,
            Ok(Ended::GivenUp(..)) => unreachable!("it is given up when its time is over"),
            Err(panic) => resume_unwind(panic),
        };
    };
    let exceeded = |phase: &str| exceeded_text(test, deadline, phase);
    match outcome {
        Ok(Ended::GivenUp(phase, waited_for)) => {
            let waited_for = terminal::waited_for(&waited_for, &deadline.help());
            fail(test, &(exceeded(phase) + &waited_for))
        }
        // It has a verdict of its own beside this.
        Ok(Ended::Returned(code, _)) if code != ExitCode::SUCCESS => {
            eprintln!(
                "{}",
                exceeded(&format!("the function returned after {after}"))
            );
            code
        }
        Ok(Ended::Returned(..)) => fail(
            test,
            &exceeded(&format!("the function returned after {after}")),
        ),
        Err(panic) => {
            eprintln!(
                "{}",
                exceeded(&format!("the function panicked after {after}"))
            );
            if test.should_panic {
                return ExitCode::FAILURE;
            }
            resume_unwind(panic)
        }
    }
}

fn exceeded_text(test: Test, deadline: &Deadline, phase: &str) -> String {
    format!(
        "test timed out: `{}` took longer than {:?}: {phase}",
        test.name,
        deadline.timeout()
    )
}

/// Fails a test for a reason outside the test.
#[track_caller]
fn fail(test: Test, why: &dyn fmt::Display) -> ExitCode {
    if test.should_panic {
        // A panic would make it pass.
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    panic!("{why}")
}

/// The services of a test, with their leases.
struct Held {
    launched: Vec<Launched>,
    /// Whether the report about the services was shown.
    explained: AtomicBool,
}

/// Launches the services of a test.
///
/// # Errors
///
/// A service cannot be launched in time. The text says why the test fails.
fn launch(launches: Launches, deadline: Option<&Arc<Deadline>>) -> Result<Held, String> {
    if launches.declarations.is_empty() {
        return Ok(Held::new(Vec::new()));
    }
    let test = launches.test;
    let client = Client::get();
    let launching: Vec<_> = launches
        .declarations
        .iter()
        .map(|&(declaration, instances)| {
            let test = Some(test.name.to_owned());
            client.launch(declaration, instances, test, deadline.cloned())
        })
        .collect();
    let count = launching.len();
    // The supervisor knows what a launch waits for, and reports it once the time is over.
    let until = deadline.map(|deadline| deadline.until() + ABORT_GRACE);
    let Outcomes { outcomes, failed } = together::wait(launching, until);
    let (mut held, mut errors, mut under_way) = (Vec::new(), Vec::new(), Vec::new());
    for (outcome, (declaration, _)) in outcomes.into_iter().zip(launches.declarations) {
        match outcome {
            Some(Ok(launched)) => held.push(launched),
            Some(Err(error)) => errors.push(error),
            None => under_way.extend(declaration.read_plan().map(|plan| plan.name)),
        }
    }
    if held.len() == count {
        return Ok(Held::new(held));
    }
    let mut texts = Vec::new();
    if failed.is_some() {
        texts.push(together::describe(errors));
        if !under_way.is_empty() {
            texts.push(terminal::still_launching(&under_way));
        }
    } else {
        texts.push("the supervisor does not answer".to_owned());
    }
    let text = texts.join("\n");
    match deadline {
        Some(deadline) if failed.is_none_or(|failed| failed >= deadline.until()) => {
            let phase = format!("its services were being launched\n{text}");
            Err(exceeded_text(test, deadline, &phase))
        }
        _ => Err(text),
    }
}

impl Held {
    fn new(launched: Vec<Launched>) -> Self {
        Self {
            launched,
            explained: AtomicBool::new(false),
        }
    }

    /// Prints the report about the services of a failed test once. The test harness captures it. The failure itself has `said`
    /// this.
    fn explain(&self, deadline: Option<&Arc<Deadline>>, said: &str) {
        if !self.explained.swap(true, Ordering::SeqCst) {
            let report = self.report(deadline.map(|deadline| deadline.grace()), said);
            eprint!("{report}");
        }
    }

    /// The report about the services.
    fn report(&self, until: Option<Instant>, said: &str) -> String {
        let members = self.launched.iter().flat_map(|(members, _)| members);
        let members: Vec<Member> = members.cloned().collect();
        let mut services = services_of(&members);
        services.retain(|service| !launched_in_test::has_reported(service));
        failure_report::of_services(&services, until, said)
    }

    /// Does not return if the process is about to end, because the test's output is not its verdict then.
    fn stay_while_ending(&self) {
        if let Some((_, lease)) = self.launched.first() {
            lease.client().stay_while_ending();
        }
    }

    fn release(&self) {
        for (_, lease) in &self.launched {
            lease.release();
        }
    }
}
