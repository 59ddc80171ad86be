//! The end of a process that runs its supervisor itself: by exiting, or by a signal. A supervisor in a process of its own needs
//! none of this.
//!
//! In both cases, everything is removed before the process ends. This module cannot act when the process is killed outright. It
//! must not change a signal that has a disposition already: an ignored signal, as under `nohup`, stays ignored, and a handler
//! of the process itself stays in charge.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::calls::Client;
use crate::terminal;

/// The signals that ask a process to end.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Signals that arrive so soon after the first count as the same request. `timeout` sends one to the process and to its group,
/// and a terminal and a wrapper may both send one.
const SIGNAL_DEBOUNCE: Duration = Duration::from_millis(400);

/// The prefix of the names of Seatrial's own threads. Their panics are not a test's.
const OWN_THREADS: &str = "seatrial";

struct Registered {
    client: &'static Client,
    /// A forked child runs the same exit handlers, but does not own the services.
    process: u32,
}

static REGISTERED: OnceLock<Registered> = OnceLock::new();

/// Whether a signal ends this process.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Registers the handlers of this process's end.
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
        terminal::warn("cannot register an exit handler; shared services may outlive the process");
    }
    if let Err(error) = handle_signals(client) {
        terminal::warn(&format!(
            "cannot handle signals ({error}); Ctrl-C leaves containers behind"
        ));
    }
}

extern "C" fn at_exit() {
    if let Some(registered) = REGISTERED.get()
        && registered.process == std::process::id()
    {
        registered.client.close().wait();
        if INTERRUPTED.load(Ordering::SeqCst) {
            // The status must be that of the signal, not of a verdict that was reached just before.
            stay();
        }
    }
}

fn handle_signals(client: &'static Client) -> std::io::Result<()> {
    let ours: Vec<i32> = SIGNALS.into_iter().filter(|s| is_default(*s)).collect();
    let arrivals = Arc::new(Arrivals::new());
    for signal in &ours {
        let arrivals = arrivals.clone();
        // SAFETY: in the handler, this reads a clock and writes to atomics, which is async-signal-safe.
        unsafe { signal_hook::low_level::register(*signal, move || arrivals.note_now()) }?;
    }
    // Registered after the handlers above, so that an arrival is noted before this thread learns of it.
    let mut signals = Signals::new(ours)?;
    thread("seatrial-signals", move || {
        let mut interrupted = false;
        for signal in signals.forever() {
            if !interrupted {
                interrupted = true;
                interrupt(client, signal);
            }
            // A second request means that the user does not want to wait.
            if arrivals.are_repeated() {
                end(signal);
            }
        }
    })
}

/// The times at which signals arrived. Their handlers note them, because the thread that acts on them may be late.
struct Arrivals {
    /// The origin of the other times, which are in microseconds. 0 means that no signal has arrived.
    base: Instant,
    first: AtomicU64,
    last: AtomicU64,
}

impl Arrivals {
    fn new() -> Self {
        Self {
            base: Instant::now(),
            first: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    fn note_now(&self) {
        self.note(self.base.elapsed());
    }

    fn note(&self, after: Duration) {
        let at = u64::try_from(after.as_micros()).unwrap_or(u64::MAX).max(1);
        let _ = self
            .first
            .compare_exchange(0, at, Ordering::SeqCst, Ordering::SeqCst);
        self.last.fetch_max(at, Ordering::SeqCst);
    }

    /// Whether a signal after the first counts as a second request.
    fn are_repeated(&self) -> bool {
        let first = self.first.load(Ordering::SeqCst);
        let apart = self.last.load(Ordering::SeqCst).saturating_sub(first);
        Duration::from_micros(apart) >= SIGNAL_DEBOUNCE
    }
}

/// Has everything removed and then ends the process, without blocking.
fn interrupt(client: &'static Client, signal: i32) {
    INTERRUPTED.store(true, Ordering::SeqCst);
    let closing = client.close();
    let ending = thread("seatrial-ending", move || {
        silence_tests();
        closing.wait();
        end(signal);
    });
    // Written last: if nobody reads the terminal any more, the write may block.
    terminal::interrupted(signal);
    if let Err(error) = ending {
        terminal::warn(&format!(
            "cannot start a thread ({error}); containers are left behind"
        ));
        end(signal);
    }
}

/// Silences the panics of tests. From now on, tests lose their services while they run, and their panics about it would be
/// mistaken for the cause of the end.
fn silence_tests() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if thread
            .name()
            .is_some_and(|name| name.starts_with(OWN_THREADS))
        {
            report(panic);
        } else {
            stay();
        }
    }));
}

impl Client {
    /// Does not return if the process is about to end. So a test whose services are gone does not report that.
    pub(crate) fn stay_while_ending(&self) {
        if self.is_ending() {
            stay();
        }
    }
}

/// Waits for the end of the process. Never returns.
fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

/// Ends the process by the signal's default action, so that its parent sees the status that it expects.
fn end(signal: i32) {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

/// Whether this signal has its default disposition.
fn is_default(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action, the call only writes the present one to the given place.
    let known = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) } == 0;
    // SAFETY: all-zero is a valid value of this type, and the call can only have replaced it by another.
    known && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_DFL
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_repeated(at: &[u64]) -> bool {
        let arrivals = Arrivals::new();
        for millis in at {
            arrivals.note(Duration::from_millis(*millis));
        }
        arrivals.are_repeated()
    }

    #[test]
    fn signals_that_arrive_together_are_one_request() {
        for at in [&[0][..], &[5000], &[5000, 5000], &[5000, 5001, 5399]] {
            assert!(!are_repeated(at), "{at:?}");
        }
    }

    #[test]
    fn a_signal_that_arrives_later_is_another_request() {
        for at in [&[0, 401][..], &[5000, 5400], &[5000, 5001, 5399, 5401]] {
            assert!(are_repeated(at), "{at:?}");
        }
    }
}
