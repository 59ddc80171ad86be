//! Showing texts on standard error itself. The test harness does not capture them, because they are about the run, not about one
//! test. A process that nobody sees redirects them to a process that people see.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use crate::shown::{ProgressReport, Shown};
use crate::visible::harmless;
use crate::wording::duration;

/// Shows a message about the run.
pub(crate) fn say(text: &str) {
    show(&format!("seatrial: {text}\n"));
}

/// Takes what would be written to standard error.
type Sink = Box<dyn Fn(Shown) + Send + Sync>;

static SINK: OnceLock<Sink> = OnceLock::new();

/// Redirects everything, for a process that nobody sees.
pub(crate) fn redirect(sink: impl Fn(Shown) + Send + Sync + 'static) {
    let _ = SINK.set(Box::new(sink));
}

/// Redirects a report of progress. Does nothing without a redirection.
pub(crate) fn show_progress(report: ProgressReport) {
    if let Some(sink) = SINK.get() {
        sink(Shown::Progress(report));
    }
}

/// Whether people see what this process writes to standard error.
pub(crate) fn is_seen() -> bool {
    SINK.get().is_none()
}

/// Shows a text.
pub(crate) fn show(text: &str) {
    let text = harmless(text);
    if let Some(sink) = SINK.get() {
        return sink(Shown::Text(text.into_owned()));
    }
    // One write, so that lines of several processes do not mix. If standard error is closed, there is nobody to report it to.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Shows a warning: something went wrong, and nothing fails because of it.
pub(crate) fn warn(text: &str) {
    say(&format!("warning: {text}"));
}

/// Explains why an interrupted process takes a moment to end.
pub(crate) fn interrupted(signal: i32) {
    let name = signal_hook::low_level::signal_name(signal).unwrap_or("a signal");
    say(&format!(
        "{name}: removing what was started; once more ends this at once"
    ));
}

/// Warns that an ending process has stopped waiting for its engine.
pub(crate) fn not_removed(after: Duration) {
    warn(&format!(
        "the engine has not removed everything within {}; what is left has the label `dev.seatrial.run`: \
         look with `docker ps --all --filter label=dev.seatrial.run`",
        duration(after)
    ));
}

/// Writes a text to another terminal than this process's own. Does nothing if the terminal is gone.
pub(crate) fn say_on(path: &Path, text: &str) {
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open(path);
    if let Ok(mut opened) = opened {
        let _ = opened.write_all(text.as_bytes());
    }
}
