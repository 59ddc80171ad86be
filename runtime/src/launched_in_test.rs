//! What tests launch themselves, that no `#[seatrial::test]` runs: what became of it is told when such a test panics.
//!
//! A panic hook does so, for it runs while the handles of the test are there, wherever they are; a handle that is dropped
//! by a panic knows no other, and one in a static is not dropped at all.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{self, Location};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::Instant;

use seatrial_model::Scope;

use crate::deadline::ABORT_GRACE;
use crate::declaration::Declaration;
use crate::service::WeakService;
use crate::{Service, current_test, failure_report, terminal};

/// Which test launches, and where.
pub(crate) struct Origin {
    test: Option<String>,
    place: &'static Location<'static>,
}

/// What was launched.
struct Launched {
    /// None once that test is over: then they are whoever's that holds them.
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
    /// Says that the test on this thread is over.
    static END: RefCell<Option<EndOfTest>> = const { RefCell::new(None) };
    /// It was told for the test on this thread.
    static IS_REPORTED: Cell<bool> = const { Cell::new(false) };
    /// The containers of which it was told.
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
    /// The place that asks, and the test it is in, if it is in one.
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

    /// Notes what was launched.
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
        tell_of_panics();
        let scopes = plan.services.iter().map(|service| service.scope);
        let services = services.iter().zip(scopes).map(|(service, scope)| Known {
            service: service.downgrade(),
            scope,
        });
        let services = services.collect();
        let mut launched = launched();
        // A loop that launches again is told of once.
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

/// Has a panic of a test tell what became of what the test has launched. What is done about panics otherwise stays.
fn tell_of_panics() {
    static ONCE: Once = Once::new();
    if thread::panicking() {
        // Hooks cannot be changed now.
        return;
    }
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            before(info);
            tell();
        }));
    });
}

/// Says once for the test on this thread what became of what it has launched.
pub(crate) fn tell() {
    let Some(test) = current_test::on_this_thread() else {
        return;
    };
    if IS_REPORTED.replace(true) {
        return;
    }
    let text = report(&test);
    if text.is_empty() {
        return;
    }
    // A panic in a panic hook would be the end of the process, and a standard error that nobody reads any more is one. What
    // the harness captures of this thread, it captures of the other, too.
    let writing = thread::Builder::new()
        .name("seatrial-report".to_owned())
        .spawn(move || eprint!("{text}"));
    if let Ok(writing) = writing {
        let _ = writing.join();
    }
}

/// From now on nothing is told for the test on this thread: its function is over, and has given back what it had.
pub(crate) fn mark_reported() {
    IS_REPORTED.set(true);
}

/// Whether a panic of this thread has told of this service.
pub(crate) fn has_reported(service: &Service) -> bool {
    REPORTED.with_borrow(|reported| reported.contains(service.id()))
}

/// What became of what this test has launched, and of what is there that tests before it have launched.
pub(crate) fn report(test: &str) -> String {
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
    failure_report::of_services(&there, Some(Instant::now() + ABORT_GRACE)) + &gone
}
