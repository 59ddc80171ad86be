//! Builds by Docker's BuildKit.
//!
//! No session belongs to such a build, so nothing that only a session delivers works in it: secrets, SSH agents, and
//! credentials for the images that BuildKit itself would pull. Nothing is left of a build but its image and what BuildKit
//! keeps in its cache. If the connection breaks off, BuildKit ends the build.

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bollard::errors::Error;
use bollard::query_parameters::BuildImageOptions;
use serde::Deserialize;

use super::exchange;
use super::failing::LastLines;
use super::trace::{Log, Trace, Vertex};
use crate::engine::address::Address;
use crate::engine::docker::errors::{During, failed};
use crate::engine::docker::held_back::HeldBack;
use crate::engine::error::EngineError;
use crate::engine::image::{Progress, ProgressSink};
use crate::output::Lines;
use crate::visible::harmless;

/// Builds an image, and reports its output.
pub(super) async fn build(
    address: &Address,
    options: &BuildImageOptions,
    context: HeldBack,
    attempt: &str,
    progress: ProgressSink<'_>,
) -> Result<(), EngineError> {
    let mut answer = Answer::default();
    let built = async {
        let query = serde_urlencoded::to_string(options)?;
        let path = format!("/build?{query}");
        let take = |piece: &[u8]| answer.take(piece, progress);
        exchange::post(address, &path, context, take).await?;
        answer.end()
    };
    let built = built.await.map_err(failed(During::Build, attempt));
    built.map_err(|error| answer.steps.attach_to(error, progress))
}

/// A line of the answer.
#[derive(Debug, Deserialize)]
struct Report {
    id: Option<String>,
    /// By the id, a trace or what was made.
    aux: Option<serde_json::Value>,
    stream: Option<String>,
    error: Option<String>,
}

/// The answer, as far as it has come.
#[derive(Debug, Default)]
struct Answer {
    /// The beginning of a line.
    open: Vec<u8>,
    steps: Steps,
    has_image: bool,
}

impl Answer {
    fn take(&mut self, piece: &[u8], progress: ProgressSink<'_>) -> Result<(), Error> {
        let mut parts = piece.split(|byte| *byte == b'\n');
        self.open.extend(parts.next().unwrap_or_default());
        for next in parts {
            let line = std::mem::replace(&mut self.open, next.to_vec());
            if !line.trim_ascii().is_empty() {
                self.report(serde_json::from_slice(&line)?, progress)?;
            }
        }
        Ok(())
    }

    fn report(&mut self, report: Report, progress: ProgressSink<'_>) -> Result<(), Error> {
        if let Some(error) = report.error {
            return Err(Error::DockerStreamError { error });
        }
        match report.id.as_deref() {
            Some("moby.buildkit.trace") => {
                let trace = report.aux.as_ref().and_then(serde_json::Value::as_str);
                let trace = trace.and_then(|text| BASE64_STANDARD.decode(text).ok());
                // A report that cannot be read is only missing in what is shown.
                if let Some(trace) = trace.and_then(|bytes| Trace::decode(&bytes)) {
                    self.steps.take(trace, progress);
                }
            }
            Some("moby.image.id") => self.has_image = true,
            _ => {
                for line in report.stream.iter().flat_map(|text| text.lines()) {
                    progress(Progress::Line(harmless(line).into_owned()));
                }
            }
        }
        Ok(())
    }

    /// An engine that stops may end its answer without an error.
    fn end(&self) -> Result<(), Error> {
        match self.has_image {
            true => Ok(()),
            false => Err(Error::DockerStreamError {
                error: "the engine's answer ended before the image was built".to_owned(),
            }),
        }
    }
}

/// The steps of a build. Several run at once.
#[derive(Debug, Default)]
struct Steps {
    by_digest: HashMap<String, Step>,
    /// The digest of the step whose name or output was shown last.
    current: String,
}

#[derive(Debug, Default)]
struct Step {
    name: String,
    is_shown: bool,
    /// Empty unless it failed.
    error: String,
    /// Standard output and standard error.
    outputs: [Lines; 2],
    last: LastLines,
}

impl Steps {
    fn take(&mut self, trace: Trace, progress: ProgressSink<'_>) {
        for vertex in &trace.vertexes {
            self.vertex(vertex, progress);
        }
        for status in trace.statuses {
            progress(Progress::Layer {
                id: status.id,
                status: status.name,
                current: Some(status.current),
                total: Some(status.total),
            });
        }
        for log in &trace.logs {
            self.log(log, progress);
        }
        for vertex in trace.vertexes.iter().filter(|it| it.is_completed) {
            self.end(&vertex.digest, progress);
        }
    }

    fn vertex(&mut self, vertex: &Vertex, progress: ProgressSink<'_>) {
        let step = self.by_digest.entry(vertex.digest.clone()).or_default();
        step.name = harmless(&vertex.name).into_owned();
        step.error.clone_from(&vertex.error);
        if !step.is_shown && (vertex.is_started || vertex.is_cached) {
            step.is_shown = true;
            self.current.clone_from(&vertex.digest);
            let cached = if vertex.is_cached { "CACHED " } else { "" };
            progress(Progress::Line(format!("{cached}{}", step.name)));
        }
    }

    fn log(&mut self, log: &Log, progress: ProgressSink<'_>) {
        let Some(step) = self.by_digest.get_mut(&log.vertex) else {
            return;
        };
        let output = &mut step.outputs[usize::from(log.stream == 2)];
        let mut lines = Vec::new();
        output.take(&log.message, |line| lines.push(line));
        self.lines(&log.vertex, lines, progress);
    }

    /// Handles the end of a step's output.
    fn end(&mut self, digest: &str, progress: ProgressSink<'_>) {
        let Some(step) = self.by_digest.get_mut(digest) else {
            return;
        };
        let mut lines = Vec::new();
        for output in std::mem::take(&mut step.outputs) {
            output.finish(|line| lines.push(line));
        }
        self.lines(digest, lines, progress);
    }

    fn lines(&mut self, digest: &str, lines: Vec<String>, progress: ProgressSink<'_>) {
        let Some(step) = self.by_digest.get_mut(digest) else {
            return;
        };
        // Whose output it is must be visible when other steps have written, too.
        if !lines.is_empty() && self.current != digest {
            digest.clone_into(&mut self.current);
            progress(Progress::Line(step.name.clone()));
        }
        for line in lines {
            let line = harmless(line.trim_end());
            if !line.is_empty() {
                step.last.push(&line);
            }
            progress(Progress::Line(line.into_owned()));
        }
    }

    /// Adds the name and the last lines of the step that failed to the error of the build.
    fn attach_to(&mut self, mut error: EngineError, progress: ProgressSink<'_>) -> EngineError {
        // The others were cancelled, which is their error. The build has the error of the one that failed.
        let is_of = |step: &Step| {
            let (of_step, of_build) = (step.error.as_str(), error.message.as_str());
            !of_step.is_empty() && (of_build.contains(of_step) || of_step.contains(of_build))
        };
        let failing = self.by_digest.iter().find(|(_, step)| is_of(step));
        if let Some(digest) = failing.map(|(digest, _)| digest.clone()) {
            self.end(&digest, progress);
            let step = &self.by_digest[&digest];
            step.last.attach_to(Some(&step.name), &mut error);
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::engine::EngineErrorKind;

    /// Lines that were shown.
    #[derive(Default)]
    struct Shown(Mutex<Vec<String>>);

    impl Shown {
        fn take(&self, progress: Progress) {
            if let Progress::Line(line) = progress {
                self.0.lock().expect("no panic").push(line);
            }
        }

        fn lines(self) -> Vec<String> {
            self.0.into_inner().expect("no panic")
        }
    }

    fn started(digest: &str, name: &str) -> Vertex {
        Vertex {
            digest: digest.to_owned(),
            name: name.to_owned(),
            is_started: true,
            ..Vertex::default()
        }
    }

    fn log(vertex: &str, stream: u64, message: &str) -> Log {
        Log {
            vertex: vertex.to_owned(),
            stream,
            message: message.into(),
        }
    }

    fn vertexes(vertexes: impl Into<Vec<Vertex>>) -> Trace {
        Trace {
            vertexes: vertexes.into(),
            ..Trace::default()
        }
    }

    fn logs(logs: impl Into<Vec<Log>>) -> Trace {
        Trace {
            logs: logs.into(),
            ..Trace::default()
        }
    }

    #[test]
    fn each_line_is_shown_below_the_step_that_wrote_it() {
        let shown = Shown::default();
        let sink = |progress| shown.take(progress);
        let mut steps = Steps::default();
        let waiting = Vertex {
            is_started: false,
            ..started("b", "[b 1/1] RUN two")
        };
        steps.take(vertexes([started("a", "[a 1/1] RUN one"), waiting]), &sink);
        steps.take(logs([log("a", 1, "1"), log("a", 2, "warning\nb")]), &sink);
        let cached = Vertex {
            is_cached: true,
            ..started("c", "[c 1/1] RUN three")
        };
        steps.take(
            vertexes([started("b", "[b 1/1] RUN two"), cached.clone()]),
            &sink,
        );
        steps.take(
            logs([log("b", 1, "2\n"), log("a", 1, "0\n"), log("z", 1, "?\n")]),
            &sink,
        );
        let ended = Vertex {
            is_completed: true,
            ..started("a", "[a 1/1] RUN one")
        };
        steps.take(vertexes([ended, cached]), &sink);
        assert_eq!(
            shown.lines(),
            [
                "[a 1/1] RUN one",
                "warning",
                "[b 1/1] RUN two",
                "CACHED [c 1/1] RUN three",
                "[b 1/1] RUN two",
                "2",
                "[a 1/1] RUN one",
                "10",
                "b",
            ]
        );
    }

    #[test]
    fn an_error_has_the_last_lines_of_the_step_that_failed() {
        let mut steps = Steps::default();
        let failed = |digest: &str, error: &str| Vertex {
            error: error.to_owned(),
            ..started(digest, &format!("RUN {digest}"))
        };
        let output: String = (1..=30).map(|line| format!("{line}\n")).collect();
        steps.take(vertexes([started("a", ""), started("b", "")]), &|_| ());
        steps.take(
            logs([log("a", 1, "fine\n"), log("b", 1, &(output + "31"))]),
            &|_| (),
        );
        let trace = [
            failed("a", "context canceled"),
            failed("b", "process \"b\" did not complete: exit code: 3"),
        ];
        steps.take(vertexes(trace), &|_| ());
        let error = EngineError {
            kind: EngineErrorKind::Build,
            attempt: "build `x`".to_owned(),
            message: "failed: process \"b\" did not complete: exit code: 3".to_owned(),
        };
        let message = steps.attach_to(error, &|_| ()).message;
        let lines: Vec<&str> = message.lines().collect();
        assert_eq!(
            lines[0],
            "RUN b: failed: process \"b\" did not complete: exit code: 3"
        );
        let expected: Vec<String> = (12..=31).map(|line| format!("  {line}")).collect();
        assert_eq!(lines[1..], expected);
    }

    #[test]
    fn an_answer_is_read_from_pieces_that_end_anywhere() {
        // The field 1 of a report: a vertex with the digest `a`, the name `RUN x` and a time of its start.
        let trace = BASE64_STANDARD.encode(b"\x0a\x0c\x0a\x01a\x1a\x05RUN x\x2a\x00");
        let text = format!(
            "{{\"id\":\"moby.buildkit.trace\",\"aux\":\"{trace}\"}}\r\n\
             {{\"id\":\"moby.buildkit.trace\",\"aux\":\"not base64\"}}\r\n\
             {{\"id\":\"moby.image.id\",\"aux\":{{\"ID\":\"sha256:1\"}}}}\r\n\
             {{\"stream\":\"Successfully tagged x\\n\"}}\r\n"
        );
        for size in [1, 7, text.len()] {
            let shown = Shown::default();
            let sink = |progress| shown.take(progress);
            let mut answer = Answer::default();
            assert!(answer.end().is_err(), "nothing has come");
            for piece in text.as_bytes().chunks(size) {
                answer.take(piece, &sink).expect("reports");
            }
            answer.end().expect("an image");
            assert_eq!(shown.lines(), ["RUN x", "Successfully tagged x"]);
        }
        let error = br#"{"errorDetail":{"message":"no wind"},"error":"no wind"}"#;
        let error = Answer::default().take(&[error, &b"\r\n"[..]].concat(), &|_| ());
        assert!(
            matches!(&error, Err(Error::DockerStreamError { error }) if error == "no wind"),
            "{error:?}"
        );
        let malformed = Answer::default().take(b"<html>\n", &|_| ());
        assert!(malformed.is_err());
    }
}
