//! How a process ends while services are held: by returning or exiting, and by a signal.
//!
//! Both ways everything is removed before the process is gone. What kills a process without letting it act is none of
//! this module's business, nor is a signal that somebody else has taken care of before: one that is ignored, as under
//! `nohup`, stays ignored, and where the process has a handler of its own, that decides.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Client;
use crate::terminal;

/// The signals that ask a process to end.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Signals that come so soon after the first are the same wish: who sends one to a process and to its group, as
/// `timeout` does, or both a terminal and a wrapper, means it once.
const ONE_WISH: Duration = Duration::from_millis(400);

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
    let mut signals = Signals::new(SIGNALS.into_iter().filter(|signal| is_default(*signal)))?;
    thread("seatrial-signals", move || {
        let mut first: Option<Instant> = None;
        for signal in signals.forever() {
            match first {
                None => {
                    first = Some(Instant::now());
                    interrupt(client, signal);
                }
                Some(first) if first.elapsed() < ONE_WISH => {}
                // Whoever signals twice does not want to wait.
                Some(_) => end(signal),
            }
        }
    })
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
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if thread
            .name()
            .is_some_and(|name| name.starts_with(OWN_THREADS))
        {
            told(panic);
        } else {
            stay();
        }
    }));
}

/// Never returns: the process is about to be gone.
pub(super) fn stay() -> ! {
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
