//! The launches of tests that `#[seatrial::test]` does not run. When such a test panics, the report about its services is shown.
//!
//! A panic hook shows the report, because it runs while the test's handles still exist, wherever they are. The drop of a handle
//! would not do: it does not know the other handles, and a handle in a static is never dropped.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{self, Location};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::Instant;

use seatrial_model::Scope;

use crate::deadline::ABORT_GRACE;
use crate::declaration::Declaration;
use crate::panic_text::panic_text;
use crate::service::WeakService;
use crate::{Service, current_test, failure_report, terminal};

/// The test that launches, and the place of the launch.
pub(crate) struct Origin {
    test: Option<String>,
    place: &'static Location<'static>,
}

/// A launch of a test.
struct Launched {
    /// The test. `None` once the test is over: then the services belong to any holder of a handle.
    test: Option<String>,
    composition: String,
    place: &'static Location<'static>,
    services: Vec<Known>,
}

struct Known {
    service: WeakService,
    scope: Scope,
}

static LAUNCHED: Mutex<Vec<Launched>> = Mutex::new(Vec::new());

fn launched() -> MutexGuard<'static, Vec<Launched>> {
    LAUNCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// Its drop marks the end of the test on this thread.
    static END: RefCell<Option<EndOfTest>> = const { RefCell::new(None) };
    /// Whether the report of the test on this thread was shown.
    static IS_REPORTED: Cell<bool> = const { Cell::new(false) };
    /// The containers that the report named.
    static REPORTED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// The end of a test's thread.
struct EndOfTest(String);

impl Drop for EndOfTest {
    fn drop(&mut self) {
        launched().retain_mut(|launched| {
            let is_own = launched.test.as_ref() == Some(&self.0);
            if is_own {
                launched.test = None;
            }
            !is_own
                || launched
                    .services
                    .iter()
                    .any(|known| known.service.is_held())
        });
    }
}

impl Origin {
    /// The place of the caller, and the test that it is in, if any.
    #[track_caller]
    pub(crate) fn of_caller() -> Self {
        if let Some(test) = current_test::on_this_thread() {
            END.with_borrow_mut(|end| _ = end.get_or_insert_with(|| EndOfTest(test)));
        }
        Self {
            test: current_test::here(),
            place: Location::caller(),
        }
    }

    pub(crate) fn test(&self) -> Option<String> {
        self.test.clone()
    }

    /// Notes the services of a launch.
    pub(crate) fn note(self, declaration: &Declaration, services: &[Service]) {
        let Self {
            test: Some(test),
            place,
        } = self
        else {
            return;
        };
        let Some(plan) = declaration.read_plan() else {
            return;
        };
        report_on_panics();
        let scopes = plan.services.iter().map(|service| service.scope);
        let services = services.iter().zip(scopes).map(|(service, scope)| Known {
            service: service.downgrade(),
            scope,
        });
        let services = services.collect();
        let mut launched = launched();
        // A loop that launches repeatedly is reported once.
        launched.retain(|before| {
            let is_here = before.place == place && before.test.as_ref() == Some(&test);
            !is_here || before.services.iter().any(|known| known.service.is_held())
        });
        launched.push(Launched {
            test: Some(test),
            composition: plan.name,
            place,
            services,
        });
    }
}

/// Installs the panic hook that shows the report of a test. The panic hook that was there before still runs.
fn report_on_panics() {
    static ONCE: Once = Once::new();
    if thread::panicking() {
        // Hooks cannot be changed now.
        return;
    }
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            before(info);
            show(panic_text(info.payload()).unwrap_or_default());
        }));
    });
}

/// Shows the report of the test on this thread, once. The failure itself has `said` this.
pub(crate) fn show(said: &str) {
    let Some(test) = current_test::on_this_thread() else {
        return;
    };
    if IS_REPORTED.replace(true) {
        return;
    }
    let text = report(&test, said);
    if text.is_empty() {
        return;
    }
    // Writing to a closed standard error panics, and a panic in a panic hook aborts the process. So another thread writes. The
    // harness captures its output like this thread's.
    let writing = thread::Builder::new()
        .name("seatrial-report".to_owned())
        .spawn(move || eprint!("{text}"));
    if let Ok(writing) = writing {
        let _ = writing.join();
    }
}

/// Suppresses the report of the test on this thread: its function is over, and its handles are dropped.
pub(crate) fn mark_reported() {
    IS_REPORTED.set(true);
}

/// Whether the report of a panic on this thread has named this service.
pub(crate) fn has_reported(service: &Service) -> bool {
    REPORTED.with_borrow(|reported| reported.contains(service.id()))
}

/// The report about the services that this test has launched, and about those that earlier tests have launched and left. The
/// failure itself has `said` this.
pub(crate) fn report(test: &str, said: &str) -> String {
    let mut there = Vec::new();
    let mut gone = String::new();
    for launched in launched().iter() {
        if launched.test.as_deref().is_some_and(|other| other != test) {
            continue;
        }
        let mut given_back = Vec::new();
        for known in &launched.services {
            match known.service.upgrade() {
                Some(service) => there.push(service),
                None if known.scope != Scope::Test => there.push(known.service.without_hold()),
                None => given_back.push(known.service.field().to_owned()),
            }
        }
        if launched.test.is_some() && !given_back.is_empty() {
            gone += &terminal::given_back(&launched.composition, &given_back, launched.place);
        }
    }
    REPORTED.with_borrow_mut(|reported| {
        there.retain(|service| reported.insert(service.id().to_owned()))
    });
    failure_report::of_services(&there, Some(Instant::now() + ABORT_GRACE), said) + &gone
}
