//! Running the user's own async functions, which only the test process has.

use std::sync::Arc;

use super::{Client, Lease};
use crate::Service;
use crate::private::Hook;
use crate::protocol::{CallId, ServiceInfo};
use crate::terminal;

/// Runs `hook` on a thread and a runtime of its own, so that it may block and may use what needs tokio, and reports
/// its outcome.
pub(super) fn run(client: &'static Client, call: CallId, hook: Hook, service: ServiceInfo) {
    let lease = Arc::new(Lease::of_hook(client));
    let spawned = std::thread::Builder::new()
        .name("seatrial-hook".to_owned())
        .spawn(move || {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(|error| format!("cannot make a runtime: {error}"))?;
                runtime
                    .block_on(hook(Service::new(service, lease)))
                    .map_err(|error| terminal::chain(error.as_ref()))
            }));
            client.hook_ended(
                call,
                outcome.unwrap_or_else(|panic| Err(panic_message(&*panic))),
            );
        });
    if let Err(error) = spawned {
        client.hook_ended(call, Err(format!("cannot start a thread: {error}")));
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("it panicked: {text}")
}
