//! How a process ends that has its supervisor in itself: by returning or exiting, and by a signal. Where the supervisor is a
//! process of its own, nothing of this is needed.
//!
//! Both ways everything is removed before the process is gone. What kills a process without letting it act is none of
//! this module's business, nor is a signal that somebody else has taken care of before: one that is ignored, as under
//! `nohup`, stays ignored, and where the process has a handler of its own, that decides.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::calls::Client;
use crate::terminal;

/// The signals that ask a process to end.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Signals that arrive so soon after the first are one request: who sends one to a process and to its group, as
/// `timeout` does, or both a terminal and a wrapper, means it once.
const SIGNAL_DEBOUNCE: Duration = Duration::from_millis(400);

/// The threads of our own, whose panics are not a test's.
const OWN_THREADS: &str = "seatrial";

struct Registered {
    client: &'static Client,
    /// A child that was forked off runs the same exit handlers; the services are not its own.
    process: u32,
}

static REGISTERED: OnceLock<Registered> = OnceLock::new();

/// Whether a signal ends this process.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

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
        registered.client.close().wait();
        if INTERRUPTED.load(Ordering::SeqCst) {
            // Whoever has sent the signal is told of that, not of a verdict that was reached just before.
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
    // After the above, so that an arrival is noted before it is told of.
    let mut signals = Signals::new(ours)?;
    thread("seatrial-signals", move || {
        let mut interrupted = false;
        for signal in signals.forever() {
            if !interrupted {
                interrupted = true;
                interrupt(client, signal);
            }
            // Whoever signals twice does not want to wait.
            if arrivals.are_repeated() {
                end(signal);
            }
        }
    })
}

/// When signals arrived, as their handlers saw it: the thread that acts on them may be late.
struct Arrivals {
    /// What the others are counted from, in microseconds and never 0, which is for none.
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

    /// Whether a signal has come that is a request of its own after the first.
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
    // Said last, for whoever should read it may have stopped reading.
    terminal::interrupted(signal);
    if let Err(error) = ending {
        terminal::warn(&format!(
            "no thread can be started ({error}); containers are left"
        ));
        end(signal);
    }
}

/// From now on tests lose their services under their hands. What they say about it would be read as the reason why
/// they ended.
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
    /// Keeps a test that finds its services gone from telling of it, for the process is about to end: then this does
    /// not return.
    pub(crate) fn stay_while_ending(&self) {
        if self.is_ending() {
            stay();
        }
    }
}

/// Never returns: the process is about to be gone.
fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

/// The process ends as it would have without us, with the status that its parent expects.
fn end(signal: i32) {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

/// Whether nobody has decided what this signal does to the process.
fn is_default(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: given no new action, the call does no more than write the present one to the place it is given.
    let known = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) } == 0;
    // SAFETY: all-zero is a value of this type, and the call has at most replaced it by another.
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
