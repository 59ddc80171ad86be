//! Running the user's async functions. Only the test process has them.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use super::calls::Client;
use super::lease::Lease;
use crate::Service;
use crate::declaration::Hook;
use crate::panic_text::panic_text;
use crate::protocol::{CallId, HookFailure, HookKind, ServiceInfo};

/// The functions of every declaration that this process has launched, by the identity of the launch.
static REGISTRY: Mutex<BTreeMap<String, &'static [Hook]>> = Mutex::new(BTreeMap::new());

/// Makes the functions of a declaration known, under the identity of its launch.
pub(super) fn register(identity: &str, hooks: &'static [Hook]) {
    registry().insert(identity.to_owned(), hooks);
}

/// The function with this number of the declaration that was launched under this identity.
pub(super) fn find(identity: &str, binding: usize) -> Option<Hook> {
    registry().get(identity)?.get(binding).copied()
}

fn registry() -> MutexGuard<'static, BTreeMap<String, &'static [Hook]>> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `hook` on a thread and a runtime of its own, and reports its outcome. So the hook may block, and may use libraries that
/// need tokio.
pub(super) fn run(
    client: &'static Client,
    call: CallId,
    kind: HookKind,
    hook: Hook,
    service: ServiceInfo,
) {
    let lease = Arc::new(Lease::of_hook(client, kind));
    let spawned = std::thread::Builder::new()
        .name("seatrial-hook".to_owned())
        .spawn(move || {
            note_places_of_panics();
            PLACE.set(Some(None));
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(|error| format!("cannot create a runtime: {error}"))?;
                runtime.block_on(hook(Service::new(service, lease)))
            }));
            let outcome = match outcome {
                Ok(outcome) => outcome.map_err(HookFailure::Failed),
                Err(panic) => Err(HookFailure::Panicked(panic_message(&*panic))),
            };
            client.hook_ended(call, outcome);
        });
    if let Err(error) = spawned {
        let why = format!("cannot start a thread: {error}");
        client.hook_ended(call, Err(HookFailure::Failed(why)));
    }
}

thread_local! {
    /// On the thread of a hook, the place of its panic, if it has panicked. `None` on any other thread.
    static PLACE: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

/// Records the place of a panic in a hook. The error names it, because its reader may see the output of another process than
/// the one that ran the hook. The panic hook that was there before still runs.
fn note_places_of_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let _ = PLACE.try_with(|place| {
                if let (Ok(mut place), Some(location)) = (place.try_borrow_mut(), info.location())
                    && let Some(place) = &mut *place
                {
                    *place = Some(location.to_string());
                }
            });
            before(info);
        }));
    });
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic_text(panic).unwrap_or("no message");
    match PLACE.take().flatten() {
        Some(place) => format!("it panicked at {place}: {text}"),
        None => format!("it panicked: {text}"),
    }
}
