//! Builds by the builder that Docker had before BuildKit, and by Podman's.

use bollard::models::CreateImageInfo;
use bollard::query_parameters::BuildImageOptions;
use futures_util::{StreamExt, TryStreamExt};

use super::failing::LastLines;
use crate::engine::docker::errors::{During, failed};
use crate::engine::docker::held_back::HeldBack;
use crate::engine::docker::images::reported;
use crate::engine::error::EngineError;
use crate::engine::image::{Progress, ProgressSink};
use crate::output::Lines;
use crate::visible::harmless;

/// The beginnings of the builder's own lines.
const BUILDERS_OWN: &[&str] = &[" ---> ", "Removing intermediate container "];

/// The beginnings of the lines in which Docker's and Podman's builders report the outcome of a step.
const OUTCOMES: &[&str] = &[" ---> ", "--> "];

/// Builds an image, and reports its output.
pub(super) async fn build(
    api: &bollard::Docker,
    options: BuildImageOptions,
    context: HeldBack,
    attempt: &str,
    progress: ProgressSink<'_>,
) -> Result<(), EngineError> {
    let body = bollard::body_try_stream(context.map_ok(Into::into));
    let mut reports = api.build_image(options, None, Some(body));
    let mut step = Step::default();
    while let Some(report) = reports.next().await {
        let report = report
            .map_err(failed(During::Build, attempt))
            .map_err(|error| step.attach_to(error))?;
        if let Some(text) = report.stream {
            step.take(&text, progress);
        } else {
            let of_base = CreateImageInfo {
                id: report.id,
                status: report.status,
                progress_detail: report.progress_detail,
                error_detail: None,
            };
            if let Some(report) = reported(of_base) {
                progress(report);
            }
        }
    }
    step.end(progress);
    Ok(())
}

/// Follows a build's output: passes its lines on and keeps the lines of the current step.
#[derive(Default)]
struct Step {
    /// `Step 2/3 : RUN make`.
    name: Option<String>,
    lines: LastLines,
    output: Lines,
    /// Whether the outcome of the step existed before.
    existed: bool,
}

impl Step {
    fn take(&mut self, text: &str, progress: ProgressSink<'_>) {
        let mut lines = Vec::new();
        self.output.take(text.as_bytes(), |line| lines.push(line));
        for line in lines {
            self.line(&harmless(line.trim_end()), progress);
        }
    }

    fn end(&mut self, progress: ProgressSink<'_>) {
        let mut lines = Vec::new();
        std::mem::take(&mut self.output).finish(|line| lines.push(line));
        for line in lines {
            self.line(&harmless(line.trim_end()), progress);
        }
    }

    fn line(&mut self, line: &str, progress: ProgressSink<'_>) {
        progress(Progress::Line(line.to_owned()));
        self.own_line(line, progress);
        if is_step(line) {
            self.name = Some(line.to_owned());
            self.lines.clear();
            self.existed = takes_base(line);
        } else if !line.is_empty() && !BUILDERS_OWN.iter().any(|own| line.starts_with(own)) {
            self.lines.push(line);
        }
    }

    /// Handles a line of the builder's own.
    fn own_line(&mut self, line: &str, progress: ProgressSink<'_>) {
        let Some(what) = OUTCOMES.iter().find_map(|own| line.strip_prefix(own)) else {
            return;
        };
        if what.starts_with("Using cache") {
            self.existed = true;
        } else if !self.existed && is_id(what) {
            progress(Progress::Made(what.to_owned()));
        }
    }

    /// Adds the name and the last lines of the step to an error.
    fn attach_to(&mut self, mut error: EngineError) -> EngineError {
        self.end(&|_| ());
        self.lines.attach_to(self.name.as_deref(), &mut error);
        error
    }
}

/// Whether a line begins a `FROM` step. Such a step makes no image: its outcome is the base image.
fn takes_base(step: &str) -> bool {
    let instruction = step.split_once(':').map(|(_, instruction)| instruction);
    let name = instruction.and_then(|instruction| instruction.split_whitespace().next());
    name.is_some_and(|name| name.eq_ignore_ascii_case("FROM"))
}

/// Whether this is the id of an image, complete or shortened.
fn is_id(text: &str) -> bool {
    text.len() >= 11 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a line begins a step: `Step 2/3 : RUN make`, with `STEP` for Podman.
fn is_step(line: &str) -> bool {
    line.strip_prefix("Step ")
        .or_else(|| line.strip_prefix("STEP "))
        .is_some_and(|rest| {
            rest.starts_with(|first: char| first.is_ascii_digit()) && rest.contains(':')
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The images that a build has made according to its builder's output.
    fn made(said: &[&str]) -> Vec<String> {
        let made = Mutex::new(Vec::new());
        let mut step = Step::default();
        for text in said {
            step.take(text, &|progress| {
                if let Progress::Made(image) = progress {
                    made.lock().expect("no panic").push(image);
                }
            });
        }
        made.into_inner().expect("no panic")
    }

    #[test]
    fn only_images_that_a_build_has_made_are_reported() {
        let docker = [
            "Step 1/4 : FROM debian AS one\n",
            " ---> 6a9e58b1e9d3\n",
            "Step 2/4 : RUN make\n",
            " ---> Using cache\n",
            " ---> 0123456789ab\n",
            "Step 3/4 : RUN make install\n",
            " ---> Running in 38b6bb6b30b1\n",
            "installed\n",
            " ---> no id\n",
            "Removing intermediate container 38b6bb6b30b1\n",
            " ---> ",
            "ba9876543210\n",
            "Step 4/4 : LABEL a=b\n",
            " ---> Running in 70192e8a3bcd\n",
        ];
        assert_eq!(made(&docker), ["ba9876543210"]);
        let podman = [
            "STEP 1/3: FROM debian\n",
            "STEP 2/3: RUN make\n",
            "--> Using cache 0123456789ab0123456789ab0123456789ab0123456789ab0123456789abcdef\n",
            "--> 0123456789ab\n",
            "STEP 3/3: RUN make install\n",
            "--> ba9876543210\n",
        ];
        assert_eq!(made(&podman), ["ba9876543210"]);
    }
}
