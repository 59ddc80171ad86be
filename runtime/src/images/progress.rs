//! The progress of fetched images, and of binaries that are built, as the user sees it: bars on a terminal, plain lines elsewhere.
//!
//! It must write to standard error itself, not through the print macros: the test harness would hold printed text back until the
//! test has failed, and a user who waits for a pull needs it now.

use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::engine::Progress;
use crate::shown::{ProgressReport, Work};
use crate::terminal;
use crate::visible::harmless;

/// The shortest time between two plain lines about an image.
const LINE_EVERY: Duration = Duration::from_secs(10);

impl Work {
    fn going_on(self) -> &'static str {
        match self {
            Self::Pull => "pulling",
            Self::Build => "building",
            Self::Script => "making",
            Self::Compile => "compiling",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Pull => "pulled",
            Self::Build => "built",
            Self::Script => "made",
            Self::Compile => "compiled",
        }
    }
}

/// Where progress is shown.
#[derive(Clone)]
pub(crate) struct Reporter {
    display: Display,
}

#[derive(Clone)]
enum Display {
    #[cfg(feature = "progress")]
    Bars(indicatif::MultiProgress),
    Lines(Arc<Mutex<dyn Write + Send>>),
    OtherProcess,
}

/// The progress of one image. If it is dropped without [`Task::done`], it reports that the work failed.
pub(crate) struct Task {
    display: Display,
    work: Work,
    image: String,
    /// Its number in this process.
    number: u64,
    begun: Instant,
    state: Mutex<State>,
}

struct State {
    /// The bytes done and the total bytes, by layer.
    layers: HashMap<String, (u64, u64)>,
    bytes: u64,
    /// The time of the last plain line.
    shown: Instant,
    /// The last notice, so that it is not repeated.
    said: String,
    finished: bool,
    /// The time of the last report of any kind.
    moved: Instant,
    #[cfg(feature = "progress")]
    bar: Option<indicatif::ProgressBar>,
}

impl Reporter {
    /// Shows progress on standard error.
    pub(crate) fn standard() -> Self {
        if !terminal::is_seen() {
            return Self {
                display: Display::OtherProcess,
            };
        }
        #[cfg(feature = "progress")]
        if std::io::IsTerminal::is_terminal(&std::io::stderr())
            && std::env::var_os("TERM").is_some_and(|t| t != "dumb")
        {
            return Self {
                display: Display::Bars(indicatif::MultiProgress::new()),
            };
        }
        Self::lines(Arc::new(Mutex::new(std::io::stderr())))
    }

    /// Shows progress as plain lines.
    pub(super) fn lines(to: Arc<Mutex<dyn Write + Send>>) -> Self {
        Self {
            display: Display::Lines(to),
        }
    }

    /// Shows a notice that is not about progress.
    pub(super) fn note(&self, text: &str) {
        self.display.line(text);
    }

    /// Begins the progress of an image.
    pub(crate) fn begin(&self, work: Work, image: &str) -> Task {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let now = Instant::now();
        let task = Task {
            display: self.display.clone(),
            work,
            image: image.to_owned(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            begun: now,
            state: Mutex::new(State {
                layers: HashMap::new(),
                bytes: 0,
                shown: now,
                said: String::new(),
                finished: false,
                moved: now,
                #[cfg(feature = "progress")]
                bar: self.display.bar(work, image),
            }),
        };
        if matches!(self.display, Display::OtherProcess) {
            terminal::show_progress(ProgressReport::Begun {
                task: task.number,
                work,
                image: image.to_owned(),
            });
        } else if !task.state().has_bar() {
            task.display
                .line(&format!("{} {image} ...", work.going_on()));
        }
        task
    }
}

impl Display {
    fn line(&self, text: &str) {
        let text = harmless(text);
        match self {
            #[cfg(feature = "progress")]
            Self::Bars(bars) => {
                // If standard error is closed, there is nobody to report it to.
                let _ = bars.println(format!("seatrial: {text}"));
            }
            Self::Lines(to) => {
                let mut to = to.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                let _ = to.write_all(format!("seatrial: {text}\n").as_bytes());
                let _ = to.flush();
            }
            Self::OtherProcess => terminal::show_progress(ProgressReport::Note(text.into_owned())),
        }
    }

    #[cfg(feature = "progress")]
    fn bar(&self, work: Work, image: &str) -> Option<indicatif::ProgressBar> {
        let Self::Bars(bars) = self else {
            return None;
        };
        let style = style("{spinner} {prefix} {wide_msg}");
        let bar = bars.add(indicatif::ProgressBar::new_spinner().with_style(style));
        bar.set_prefix(format!("{} {image}", work.going_on()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Some(bar)
    }
}

impl Task {
    /// Takes a report of an engine.
    pub(super) fn report(&self, progress: Progress) {
        if let Display::OtherProcess = self.display {
            self.state().moved = Instant::now();
            let task = self.number;
            return terminal::show_progress(ProgressReport::Engine { task, progress });
        }
        match progress {
            Progress::Layer {
                id,
                status,
                current,
                total,
            } => self.layer(id, &status, current, total),
            Progress::Line(line) => self.line(&line),
            // The lines of a build show its progress.
            Progress::Made(_) => {}
        }
    }

    /// Takes a line of output.
    pub(crate) fn line(&self, line: &str) {
        if let Display::OtherProcess = self.display {
            return self.report(Progress::Line(line.to_owned()));
        }
        let line = &*harmless(line.trim_end());
        let mut state = self.state();
        state.moved = Instant::now();
        if line.is_empty() {
            return;
        }
        #[cfg(feature = "progress")]
        if let Some(bar) = &state.bar {
            // The bytes say more than an engine's text about them.
            if self.work != Work::Pull || state.all_bytes().0 == 0 {
                bar.set_message(line.to_owned());
            }
            return;
        }
        // The text of a pull says nothing beyond its bytes.
        if self.work != Work::Pull && state.said != line {
            line.clone_into(&mut state.said);
            self.display.line(&format!("{} | {line}", self.image));
        }
    }

    /// Takes the number of further bytes of an image that is made here.
    pub(super) fn bytes(&self, more: u64) {
        let mut state = self.state();
        if let Display::OtherProcess = self.display {
            state.moved = Instant::now();
            let task = self.number;
            return terminal::show_progress(ProgressReport::Bytes { task, more });
        }
        state.bytes += more;
        self.show(&mut state);
    }

    /// The time of the last report of any kind.
    pub(super) fn moved(&self) -> Instant {
        self.state().moved
    }

    /// The work is done.
    pub(crate) fn done(&self) {
        let bytes = {
            let mut state = self.state();
            state.finished = true;
            state.clear();
            state.all_bytes().1
        };
        if let Display::OtherProcess = self.display {
            return terminal::show_progress(ProgressReport::Done { task: self.number });
        }
        let mut text = format!(
            "{} {} in {}",
            self.work.done(),
            self.image,
            seconds(self.begun.elapsed())
        );
        if bytes > 0 {
            text = format!("{text} ({})", size(bytes));
        }
        self.display.line(&text);
    }

    fn layer(&self, id: String, status: &str, current: Option<u64>, total: Option<u64>) {
        let mut state = self.state();
        let layer = state.layers.entry(id).or_default();
        if status.starts_with("Downloading") || status.starts_with("Copying") {
            let total = total.unwrap_or(layer.1);
            *layer = (current.unwrap_or(layer.0), total);
        } else if status == "Download complete" || status == "Pull complete" {
            layer.0 = layer.1;
        }
        // The first second of a countdown is enough.
        if status.starts_with("Retrying") && state.said != "retrying" && !state.has_bar() {
            "retrying".clone_into(&mut state.said);
            self.display.line(&format!(
                "{} {}: the connection broke; {}",
                self.work.going_on(),
                self.image,
                status.to_lowercase()
            ));
        } else if status.starts_with("Downloading") {
            state.said.clear();
        }
        self.show(&mut state);
    }

    /// Shows the progress, unless the last plain line is too recent.
    fn show(&self, state: &mut State) {
        state.moved = Instant::now();
        let (done, total) = state.all_bytes();
        if done == 0 {
            return;
        }
        let text = if total > done {
            format!("{}% of {}", done * 100 / total, size(total))
        } else {
            size(done)
        };
        #[cfg(feature = "progress")]
        if let Some(bar) = &state.bar {
            if self.work == Work::Pull && total > 0 {
                bar.set_style(style("{spinner} {prefix} [{bar:30}] {wide_msg}"));
                bar.set_length(total);
                bar.set_position(done);
            }
            bar.set_message(text);
            return;
        }
        if state.moved - state.shown >= LINE_EVERY {
            state.shown = state.moved;
            self.display
                .line(&format!("{} {}: {text}", self.work.going_on(), self.image));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let mut state = self.state();
        if state.finished {
            return;
        }
        state.clear();
        drop(state);
        if let Display::OtherProcess = self.display {
            return terminal::show_progress(ProgressReport::Failed { task: self.number });
        }
        self.display.line(&format!(
            "{} {} failed after {}",
            self.work.going_on(),
            self.image,
            seconds(self.begun.elapsed())
        ));
    }
}

impl State {
    fn all_bytes(&self) -> (u64, u64) {
        self.layers.values().fold(
            (self.bytes, self.bytes),
            |(done, total), (layer_done, layer_total)| (done + layer_done, total + layer_total),
        )
    }

    #[cfg(feature = "progress")]
    fn has_bar(&self) -> bool {
        self.bar.is_some()
    }

    #[cfg(not(feature = "progress"))]
    fn has_bar(&self) -> bool {
        false
    }

    fn clear(&mut self) {
        #[cfg(feature = "progress")]
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(feature = "progress")]
fn style(template: &str) -> indicatif::ProgressStyle {
    indicatif::ProgressStyle::with_template(template)
        .expect("the template is well-formed")
        .progress_chars("=> ")
}

fn seconds(time: Duration) -> String {
    format!("{:.1}s", time.as_secs_f64())
}

/// As registries count: 1 MB is a million bytes.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
