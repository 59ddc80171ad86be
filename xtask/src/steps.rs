//! Runs commands one after another: names each before it starts, lets its output through untouched, says how long it
//! took, and sums up at the end. The first that fails ends it, with the command line that repeats it.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Steps and how they went.
pub(crate) struct Steps {
    started: Instant,
    finished: Vec<Step>,
    notes: Vec<String>,
}

struct Step {
    name: String,
    took: Duration,
    outcome: Outcome,
}

enum Outcome {
    Ok,
    Failed,
    Skipped(String),
}

impl Steps {
    /// No step yet.
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            finished: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A step that is a command.
    ///
    /// # Errors
    ///
    /// Where the command cannot be run or fails.
    pub(crate) fn command(&mut self, name: &str, command: &mut Command) -> Result<()> {
        let line = command_line(command);
        self.step(name, &line, || run(command))
    }

    /// A step of our own.
    ///
    /// # Errors
    ///
    /// The step's own.
    pub(crate) fn check<T>(&mut self, name: &str, check: impl FnOnce() -> Result<T>) -> Result<T> {
        self.step(name, "", check)
    }

    /// A step that cannot be taken here, and why.
    pub(crate) fn skip(&mut self, name: &str, why: impl Into<String>) {
        let why = why.into();
        println!("\n==> {name}: skipped, {why}");
        self.finished.push(Step {
            name: name.to_owned(),
            took: Duration::ZERO,
            outcome: Outcome::Skipped(why),
        });
    }

    /// Something to be known although no step fails for it.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    fn step<T>(&mut self, name: &str, line: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
        println!(
            "\n==> {name}{}{line}",
            if line.is_empty() { "" } else { ": " }
        );
        let started = Instant::now();
        let result = run();
        let took = started.elapsed();
        let outcome = if result.is_ok() {
            println!("    {name}: ok in {}", seconds(took));
            Outcome::Ok
        } else {
            Outcome::Failed
        };
        self.finished.push(Step {
            name: name.to_owned(),
            took,
            outcome,
        });
        result.with_context(|| {
            let repeat = if line.is_empty() {
                String::new()
            } else {
                format!("; to repeat it: {line}")
            };
            format!("step `{name}` failed{repeat}")
        })
    }

    /// The steps taken, with their times, as a table, and the notes below it.
    pub(crate) fn summary(&self) -> String {
        let width = self.finished.iter().map(|step| step.name.len()).max();
        let width = width.unwrap_or(0).max("total".len());
        let mut text = String::new();
        for step in &self.finished {
            let outcome = match &step.outcome {
                Outcome::Ok => "ok".to_owned(),
                Outcome::Failed => "FAILED".to_owned(),
                Outcome::Skipped(why) => format!("skipped, {why}"),
            };
            let took = seconds(step.took);
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "  {:<width$}  {took:>8}  {outcome}", step.name);
        }
        let took = seconds(self.started.elapsed());
        let _ = write!(text, "  {:<width$}  {took:>8}", "total");
        for note in &self.notes {
            let _ = write!(text, "\n\n{note}");
        }
        text
    }
}

/// Runs a command to its end, its output going where ours goes. It gets no input: nothing here is interactive.
///
/// # Errors
///
/// Where it cannot be run or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run `{program}`"))?;
    if !status.success() {
        bail!("`{program}` ended with {status}");
    }
    Ok(())
}

/// What to type for `command`, environment included.
pub(crate) fn command_line(command: &Command) -> String {
    let environment = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_string_lossy(), value?.to_string_lossy())))
        .map(|(name, value)| format!("{name}={}", quoted(&value)));
    // Cargo tells us where it is; people type its name.
    let program = command.get_program().to_string_lossy();
    let program = match program.rsplit('/').next() {
        Some("cargo") => "cargo".to_owned(),
        _ => program.into_owned(),
    };
    let arguments = command
        .get_args()
        .map(|argument| quoted(&argument.to_string_lossy()));
    environment
        .chain([program])
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A duration for people: `0.4 s`, `2 min 5 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let total = duration.as_secs();
    if total >= 60 {
        format!("{} min {} s", total / 60, total % 60)
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_typed_as_shown() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command
            .env("RUSTDOCFLAGS", "-D warnings")
            .env_remove("CARGO_PKG_NAME")
            .args(["doc", "it's"]);
        assert_eq!(
            command_line(&command),
            r"RUSTDOCFLAGS='-D warnings' cargo doc 'it'\''s'"
        );
    }

    #[test]
    fn the_summary_names_what_failed_what_was_skipped_and_what_is_noted() {
        let mut steps = Steps::new();
        steps.check("one", || Ok(())).unwrap();
        steps.skip("two", "there is no two");
        let error = steps
            .command("three", &mut Command::new("false"))
            .unwrap_err();
        assert!(format!("{error:#}").contains("to repeat it: false"));
        steps.note("four was slow".to_owned());
        let summary = steps.summary();
        let lines: Vec<&str> = summary.lines().collect();
        assert!(lines[0].ends_with("ok"), "{summary}");
        assert!(lines[1].ends_with("skipped, there is no two"), "{summary}");
        assert!(lines[2].ends_with("FAILED"), "{summary}");
        assert_eq!(lines[4..], ["", "four was slow"], "{summary}");
    }
}
