//! The time limit of a test, for every wait on the test's behalf.
//!
//! A test's function runs on the test's own thread, and a thread cannot be ended from outside. So waits for services end by
//! themselves when the time is over, and an async function is dropped at its next await. A function that blocks in code of its own
//! is left to the watchdog, which can only end the process.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::call_site::CallSite;
use crate::protocol::ServiceInfo;
use crate::{Error, ErrorKind};

/// How long a test that is out of time may take to end. It drops its values, which may talk to its services, and reports what the
/// services did. The machine may be busy.
pub(crate) const ABORT_GRACE: Duration = Duration::from_secs(10);

/// How long a wait that has ended by itself may take to be reported, before the watchdog ends the process.
const WATCHDOG_MARGIN: Duration = Duration::from_secs(2);

/// The phase of a test whose function is still running.
pub(crate) const NOT_RETURNED: &str = "the function had not returned";

/// The deadline of one test.
#[derive(Debug)]
pub(crate) struct Deadline {
    timeout: Duration,
    begun: Instant,
    until: Instant,
    state: Mutex<State>,
    ended: Condvar,
    waits: Mutex<Waits>,
}

/// The operations that somebody waits for.
#[derive(Debug, Default)]
struct Waits {
    next: u64,
    under_way: BTreeMap<u64, String>,
}

/// A wait for an operation. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Wait {
    deadline: Arc<Deadline>,
    number: u64,
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.deadline.waits().under_way.remove(&self.number);
    }
}

#[derive(Debug)]
struct State {
    /// The time by which a test that is out of time must have ended.
    grace: Instant,
    /// What the test is doing, as text.
    phase: &'static str,
    ended: bool,
}

impl Deadline {
    /// The deadline of a test that begins now. `None` if the time is too long for the clock.
    pub(crate) fn new(timeout: Duration) -> Option<Arc<Self>> {
        let begun = Instant::now();
        let until = begun.checked_add(timeout)?;
        let grace = until.checked_add(ABORT_GRACE)?;
        grace.checked_add(WATCHDOG_MARGIN)?;
        Some(Arc::new(Self {
            timeout,
            begun,
            until,
            state: Mutex::new(State {
                grace,
                phase: NOT_RETURNED,
                ended: false,
            }),
            ended: Condvar::new(),
            waits: Mutex::default(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The operations that are waited for now, the oldest wait first.
    pub(crate) fn waited_for(&self) -> Vec<String> {
        self.waits().under_way.values().cloned().collect()
    }

    /// The time limit of the test.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What to do about a test that is out of time while it waits for an operation.
    pub(crate) fn help(&self) -> String {
        let timeout = seatrial_model::duration::format(self.timeout);
        format!(
            "look at what the test waited for, or raise `timeout = \"{timeout}\"` in its `#[seatrial::test(..)]`"
        )
    }

    /// How long the test has run.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The time at which the limit is over.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// The time by which work at the end of a test, such as its report, must be done.
    pub(crate) fn grace(&self) -> Instant {
        self.until.max(Instant::now() + ABORT_GRACE)
    }

    /// The limit of a wait that begins now: the end of the test's time or, if that is over, of the time that the test may take to end.
    /// `None` once the test has ended: handles that it has left to others have no limit.
    fn of_wait(&self) -> Option<Instant> {
        let state = self.state();
        match (state.ended, self.is_over()) {
            (true, _) => None,
            (false, true) => Some(state.grace),
            (false, false) => Some(self.until),
        }
    }

    /// Notes that the test is out of time, and begins this phase.
    pub(crate) fn begin_phase(&self, phase: &'static str) {
        let mut state = self.state();
        state.phase = phase;
        state.grace = Instant::now() + ABORT_GRACE;
    }

    /// Notes that the test's function is done.
    pub(crate) fn end(&self) {
        self.state().ended = true;
        self.ended.notify_all();
    }

    /// Drops `give_up` when the time is over. If the test has not ended some seconds later, shows the text of `describe`, and ends
    /// the process.
    pub(crate) fn watch(
        self: &Arc<Self>,
        give_up: oneshot::Sender<Infallible>,
        describe: impl FnOnce(&'static str) -> String + Send + 'static,
    ) {
        let deadline = self.clone();
        std::thread::Builder::new()
            .name("seatrial-watchdog".to_owned())
            .spawn(move || {
                if deadline.ends_by(|_| deadline.until) {
                    return;
                }
                drop(give_up);
                if deadline.ends_by(|state| state.grace + WATCHDOG_MARGIN) {
                    return;
                }
                let phase = deadline.state().phase;
                let text = describe(phase);
                // A test that has ended meanwhile has a verdict of its own. A test that ends later cannot report one, because the
                // state stays locked.
                let state = deadline.state();
                if !state.ended {
                    crate::terminal::show(&text);
                    std::process::exit(101);
                }
            })
            .expect("a thread for the test's time-out");
    }

    /// Waits until the test has ended. `false` if it has not ended by then.
    fn ends_by(&self, until: impl Fn(&State) -> Instant) -> bool {
        let mut state = self.state();
        loop {
            if state.ended {
                return true;
            }
            let left = until(&state).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The limit of the waits for an operation, and the service that the operation is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bound {
    deadline: Option<Arc<Deadline>>,
    service: Option<Arc<ServiceInfo>>,
    call: Option<CallSite>,
    is_launch: bool,
}

impl Bound {
    /// The limit of an operation on a service.
    pub(crate) fn of_service(deadline: Option<Arc<Deadline>>, service: Arc<ServiceInfo>) -> Self {
        Self {
            deadline,
            service: Some(service),
            call: None,
            is_launch: false,
        }
    }

    /// The limit of a launch. The supervisor ends the launch in time, and reports what each service waited for.
    pub(crate) fn of_launch(deadline: Option<Arc<Deadline>>) -> Self {
        Self {
            deadline,
            service: None,
            call: None,
            is_launch: true,
        }
    }

    /// Notes the call of the operation.
    pub(crate) fn of_call(mut self, call: CallSite) -> Self {
        self.call = Some(call);
        self
    }

    /// Keeps the note that somebody waits for the operation up to date after a poll of it. They wait as long as it is
    /// pending.
    pub(crate) fn note_wait(&self, wait: &mut Option<Wait>, is_pending: bool) {
        match is_pending {
            true if wait.is_none() => *wait = self.begin_wait(),
            true => {}
            false => *wait = None,
        }
    }

    /// Notes that somebody waits for the operation from now on. `None` if no test is limited by it.
    fn begin_wait(&self) -> Option<Wait> {
        let deadline = self.deadline.as_ref()?;
        let (call, service) = (self.call.as_ref()?, self.service.as_ref()?);
        let mut waits = deadline.waits();
        let number = waits.next;
        waits.next += 1;
        let wait = format!(
            "`{}` of service `{}` of `{}`, at {call}",
            call.call(),
            service.field,
            service.composition
        );
        waits.under_way.insert(number, wait);
        Some(Wait {
            deadline: deadline.clone(),
            number,
        })
    }

    /// Adds the place of the call to an error of the operation.
    pub(crate) fn locate(&self, error: Error) -> Error {
        match &self.call {
            Some(call) => call.locate(error),
            None => error,
        }
    }

    /// The limit of a wait that begins now.
    pub(crate) fn of_wait(&self) -> Option<Instant> {
        let deadline = self.deadline.as_ref()?;
        let until = deadline.of_wait()?;
        match self.is_launch {
            true => Some(deadline.state().grace),
            false => Some(until),
        }
    }

    /// The error of a wait that has exceeded its limit.
    pub(crate) fn exceeded(&self) -> Error {
        let what = match &self.call {
            Some(call) => format!(
                "the time for the test was over before `{}` was done",
                call.call()
            ),
            None => "the time for the test was over before this was done".to_owned(),
        };
        let error = Error::new(ErrorKind::TimedOut, what).with(|report| {
            if let Some(deadline) = &self.deadline {
                report.help = Some(deadline.help());
            }
        });
        let error = self.locate(error);
        match &self.service {
            Some(service) => service.attribute(error),
            None => error,
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Deadline>>> = const { RefCell::new(None) };
}

/// The deadline of the test that this thread runs.
pub(crate) fn current() -> Option<Arc<Deadline>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Sets the deadline of the test that this thread runs, and returns the previous one.
pub(crate) fn set_current(deadline: Option<Arc<Deadline>>) -> Option<Arc<Deadline>> {
    CURRENT.replace(deadline)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadline(timeout: Duration) -> Arc<Deadline> {
        Deadline::new(timeout).expect("a clock ends it")
    }

    #[test]
    fn a_wait_ends_with_the_test() {
        let deadline = deadline(Duration::from_secs(60));
        assert_eq!(deadline.of_wait(), Some(deadline.until()));
        deadline.end();
        assert_eq!(deadline.of_wait(), None, "others may have its handles");
    }

    #[test]
    fn what_ends_a_test_that_is_out_of_time_may_wait_for_a_moment() {
        let deadline = deadline(Duration::ZERO);
        let grace = deadline.of_wait().expect("a limit");
        assert!(grace > deadline.until());
        deadline.begin_phase("it was dropping what it holds");
        assert!(deadline.of_wait().expect("a limit") > grace);
    }

    #[test]
    fn a_test_that_no_clock_ends_has_no_deadline() {
        assert!(Deadline::new(Duration::MAX).is_none());
    }

    #[test]
    fn what_is_given_up_is_told_so_and_then_ends_in_its_own_time() {
        let deadline = deadline(Duration::from_millis(1));
        let (give_up, given_up) = oneshot::channel::<Infallible>();
        deadline.watch(give_up, |_| unreachable!("it ends by itself"));
        assert!(given_up.blocking_recv().is_err());
        assert!(deadline.is_over());
        deadline.end();
    }

    #[test]
    fn the_error_says_that_the_time_is_over_and_what_to_raise() {
        let bound = Bound::of_launch(Some(deadline(Duration::from_secs(90))));
        let error = bound.exceeded();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let text = error.to_string();
        for part in [
            "the time for the test was over before this was done",
            "help: look at what the test waited for, or raise `timeout = \"1m30s\"`",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
