//! Showing something: on standard error itself, past the capture of a test harness, for it is about the run and not about
//! one test; or wherever the process has it shown that people see.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use crate::shown::{ProgressReport, Shown};
use crate::visible::harmless;
use crate::wording::duration;

/// Says something about the run.
pub(crate) fn say(text: &str) {
    show(&format!("seatrial: {text}\n"));
}

/// What is done instead of writing to standard error.
type Sink = Box<dyn Fn(Shown) + Send + Sync>;

static SINK: OnceLock<Sink> = OnceLock::new();

/// Has everything shown elsewhere, for a process that nobody sees.
pub(crate) fn redirect(sink: impl Fn(Shown) + Send + Sync + 'static) {
    let _ = SINK.set(Box::new(sink));
}

/// Shows a report elsewhere; nothing where that is not asked for.
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
    // One write, so that lines of several processes do not mix. Nobody can be told that standard error is gone.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Says what went wrong without making anything fail.
pub(crate) fn warn(text: &str) {
    say(&format!("warning: {text}"));
}

/// Says why the process takes a moment to end.
pub(crate) fn interrupted(signal: i32) {
    let name = signal_hook::low_level::signal_name(signal).unwrap_or("a signal");
    say(&format!(
        "{name}: removing what was started; once more ends this at once"
    ));
}

/// Says that an ending process gave up on its engine.
pub(crate) fn not_removed(after: Duration) {
    warn(&format!(
        "the engine has not removed everything within {}; what is left carries the label `dev.seatrial.run`: \
         look with `docker ps --all --filter label=dev.seatrial.run`",
        duration(after)
    ));
}

/// Says something on a terminal that this process has not; nothing where it is gone.
pub(crate) fn say_on(path: &Path, text: &str) {
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open(path);
    if let Ok(mut opened) = opened {
        let _ = opened.write_all(text.as_bytes());
    }
}
