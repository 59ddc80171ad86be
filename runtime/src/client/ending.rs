//! How a process ends while services are held: by returning or exiting, and by a signal.
//!
//! Both ways everything is removed before the process is gone. What kills a process without letting it act is none of
//! this module's business.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Client;
use crate::terminal;

struct Registered {
    client: &'static Client,
    /// A child that was forked off runs the same exit handlers; the services are not its own.
    process: u32,
}

static REGISTERED: OnceLock<Registered> = OnceLock::new();

/// Takes care of the end of this process.
pub(super) fn register(client: &'static Client) {
    let first = REGISTERED
        .set(Registered {
            client,
            process: std::process::id(),
        })
        .is_ok();
    if !first {
        return;
    }
    // SAFETY: the handler is a plain function that takes no reference to anything on a stack.
    let refused = unsafe { libc::atexit(at_exit) };
    if refused != 0 {
        terminal::warn("the process took no exit handler; shared services may outlive it");
    }
    if let Err(error) = handle_signals(client) {
        terminal::warn(&format!(
            "signals cannot be handled ({error}); Ctrl-C leaves containers"
        ));
    }
}

extern "C" fn at_exit() {
    if let Some(registered) = REGISTERED.get()
        && registered.process == std::process::id()
    {
        registered.client.close();
    }
}

fn handle_signals(client: &'static Client) -> std::io::Result<()> {
    const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];
    // Whoever signals twice does not want to wait: the second one ends the process at once.
    let impatient = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS {
        signal_hook::flag::register_conditional_default(signal, impatient.clone())?;
        signal_hook::flag::register(signal, impatient.clone())?;
    }
    let mut signals = Signals::new(SIGNALS)?;
    std::thread::Builder::new()
        .name("seatrial-signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                terminal::interrupted(signal);
                client.close();
                // The process ends as it would have without us, with the status that its parent expects.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        })?;
    Ok(())
}
