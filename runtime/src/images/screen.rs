//! Shows the progress that another process reports.

use std::collections::HashMap;

use super::progress::{Reporter, Task};
use crate::shown::{ProgressReport, Shown};
use crate::terminal;

/// The texts and the progress that this process shows for another.
#[derive(Default)]
pub(crate) struct Screen {
    /// Created when there is something to show, because bars look at the terminal.
    reporter: Option<Reporter>,
    tasks: HashMap<u64, Task>,
}

impl Screen {
    /// Shows a text or a report.
    pub(crate) fn show(&mut self, shown: Shown) {
        match shown {
            Shown::Text(text) => terminal::show(&text),
            Shown::Progress(report) => self.progress(report),
        }
    }

    fn progress(&mut self, report: ProgressReport) {
        let reporter = self.reporter.get_or_insert_with(Reporter::standard);
        match report {
            ProgressReport::Note(text) => reporter.note(&text),
            ProgressReport::Begun { task, work, image } => {
                self.tasks.insert(task, reporter.begin(work, &image));
            }
            ProgressReport::Engine { task, progress } => {
                if let Some(task) = self.tasks.get(&task) {
                    task.report(progress);
                }
            }
            ProgressReport::Bytes { task, more } => {
                if let Some(task) = self.tasks.get(&task) {
                    task.bytes(more);
                }
            }
            ProgressReport::Done { task } => {
                if let Some(task) = self.tasks.remove(&task) {
                    task.done();
                }
            }
            // Dropping the task reports the failure.
            ProgressReport::Failed { task } => drop(self.tasks.remove(&task)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::engine::Progress;
    use crate::shown::Work;

    #[derive(Default)]
    struct Lines(Vec<u8>);

    impl Write for Lines {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            self.0.extend(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn work_of_another_process_is_shown_from_its_beginning_to_its_end() {
        let lines = Arc::new(Mutex::new(Lines::default()));
        let mut screen = Screen {
            reporter: Some(Reporter::lines(lines.clone())),
            tasks: HashMap::new(),
        };
        let begun = |task, work, image: &str| ProgressReport::Begun {
            task,
            work,
            image: image.to_owned(),
        };
        let line = |text: &str| Progress::Line(text.to_owned());
        for report in [
            begun(1, Work::Build, "app:1"),
            begun(2, Work::Pull, "redis:7"),
            ProgressReport::Engine {
                task: 1,
                progress: line("Step 1"),
            },
            // Of one whose beginning was missed.
            ProgressReport::Done { task: 3 },
            ProgressReport::Failed { task: 2 },
            ProgressReport::Note("a note".to_owned()),
            ProgressReport::Done { task: 1 },
        ] {
            screen.show(Shown::Progress(report));
        }
        let shown = String::from_utf8(lines.lock().expect("lines").0.clone()).expect("text");
        // Without the times that they took.
        let shown: Vec<&str> = shown
            .lines()
            .map(|line| line.split(" in ").next().unwrap_or_default())
            .map(|line| line.split(" after ").next().unwrap_or_default())
            .collect();
        assert_eq!(
            shown,
            [
                "seatrial: building app:1 ...",
                "seatrial: pulling redis:7 ...",
                "seatrial: app:1 | Step 1",
                "seatrial: pulling redis:7 failed",
                "seatrial: a note",
                "seatrial: built app:1",
            ]
        );
    }
}
