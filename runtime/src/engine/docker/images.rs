//! Images: looks them up, pulls, builds, imports, tags and removes them.

use std::collections::{BTreeMap, VecDeque};

use bollard::auth::DockerCredentials;
use bollard::models::{CreateImageInfo, ImageInspect, ProgressDetail};
use bollard::query_parameters::{
    BuildImageOptions, CreateImageOptions, RemoveImageOptions, TagImageOptions,
};
use futures_util::{StreamExt, TryStreamExt};
use seatrial_model::ImageRef;

use super::client::Docker;
use super::errors::{During, failed};
use super::held_back::HeldBack;
use crate::engine::error::{EngineError, EngineErrorKind};
use crate::engine::image::{BuildSpec, Credentials, ImageInfo, Progress, ProgressSink, PullSpec};
use crate::engine::parts::Parts;
use crate::output::Lines;
use crate::visible::harmless;

/// The number of lines of a failing step in the error.
const FAILING_LINES: usize = 20;

/// The beginnings of the builder's own lines.
const BUILDERS_OWN: &[&str] = &[" ---> ", "Removing intermediate container "];

/// The beginnings of the lines in which Docker's and Podman's builders report the outcome of a step.
const OUTCOMES: &[&str] = &[" ---> ", "--> "];

impl Docker {
    pub(in crate::engine) async fn image(
        &self,
        reference: &str,
    ) -> Result<Option<ImageInfo>, EngineError> {
        let found = self.api.inspect_image(reference).await;
        match found.map_err(failed(
            During::Other,
            format_args!("look up the image `{reference}`"),
        )) {
            Ok(image) => Ok(Some(info(image))),
            Err(error) if error.kind == EngineErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(in crate::engine) async fn pull(
        &self,
        pull: PullSpec<'_>,
        progress: ProgressSink<'_>,
    ) -> Result<(), EngineError> {
        let image = pull.image.with_default_tag();
        let options = CreateImageOptions {
            from_image: Some(image.repository()),
            // The digest decides in a reference with both.
            tag: image.digest().or(image.tag()).map(str::to_owned),
            platform: pull.platform.unwrap_or_default().to_owned(),
            ..Default::default()
        };
        let credentials = pull.credentials.map(|given| credentials(given, pull.image));
        let mut reports = self.api.create_image(Some(options), None, credentials);
        while let Some(report) = reports.next().await {
            let report =
                report.map_err(failed(During::Pull, format_args!("pull `{}`", pull.image)))?;
            if let Some(report) = reported(report) {
                progress(report);
            }
        }
        Ok(())
    }

    pub(in crate::engine) async fn build(
        &self,
        build: BuildSpec<'_>,
        context: Parts<Vec<u8>>,
        progress: ProgressSink<'_>,
    ) -> Result<(), EngineError> {
        let options = BuildImageOptions {
            dockerfile: build.dockerfile.to_owned(),
            target: build.target.unwrap_or_default().to_owned(),
            platform: build.platform.unwrap_or_default().to_owned(),
            t: Some(build.tag.to_owned()),
            buildargs: Some(build.args.clone().into_iter().collect()),
            labels: Some(build.labels.clone().into_iter().collect()),
            // The container of a failing step has no use.
            rm: true,
            forcerm: true,
            ..Default::default()
        };
        let (body, broken) = HeldBack::new(context);
        let body = bollard::body_try_stream(body.map_ok(Into::into));
        let mut reports = self.api.build_image(options, None, Some(body));
        let mut step = Step::default();
        while let Some(report) = reports.next().await {
            let report = report
                .map_err(failed(During::Build, format_args!("build `{}`", build.tag)))
                .map_err(|error| step.attach_to(error));
            let report = match report {
                Ok(report) => report,
                Err(error) => return broken.or_cause(Err(error)),
            };
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
        broken.or_cause(Ok(()))
    }

    pub(in crate::engine) async fn import(
        &self,
        root: Parts<Vec<u8>>,
        tag: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let attempt = format!("import `{tag}`");
        let (repository, name) = named(tag, &attempt)?;
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(repository),
            tag: Some(name),
            changes: labels
                .iter()
                .map(|(name, value)| label(name, value))
                .collect(),
            ..Default::default()
        };
        let (body, broken) = HeldBack::new(root);
        let body = bollard::body_try_stream(body.map_ok(Into::into));
        let imported = self
            .api
            .create_image(Some(options), Some(body), None)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await;
        broken.or_cause(imported.map_err(failed(During::Other, attempt)))
    }

    pub(in crate::engine) async fn tag(&self, image: &str, tag: &str) -> Result<(), EngineError> {
        let attempt = format!("tag the image `{image}` as `{tag}`");
        let (repo, name) = named(tag, &attempt)?;
        let options = TagImageOptions {
            repo: Some(repo),
            tag: Some(name),
        };
        self.api
            .tag_image(image, Some(options))
            .await
            .map_err(failed(During::Other, attempt))
    }

    pub(in crate::engine) async fn steps(&self, id: &str) -> Result<Vec<String>, EngineError> {
        let attempt = format!("list the steps of the image `{id}`");
        let history = self.api.image_history(id).await;
        let history = history.map_err(failed(During::Other, attempt))?.into_iter();
        // Of an image that was pulled, the engine knows no steps: `<missing>`.
        let own = history.take_while(|step| step.tags.is_empty() && step.id.starts_with("sha256:"));
        Ok(own.map(|step| step.id).collect())
    }

    pub(in crate::engine) async fn remove_unused_image(
        &self,
        id: &str,
    ) -> Result<bool, EngineError> {
        let attempt = format!("remove the image `{id}`");
        let found = self.api.inspect_image(id).await;
        match found.map_err(failed(During::Other, &attempt)) {
            // A removal by id would remove the image with its name.
            Ok(image) if image.repo_tags.iter().any(|names| !names.is_empty()) => {
                return Ok(false);
            }
            Ok(_) => {}
            Err(error) if error.kind == EngineErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        }
        let options = RemoveImageOptions {
            // The base image may belong to another project.
            noprune: true,
            ..Default::default()
        };
        let removed = self.api.remove_image(id, Some(options), None).await;
        match removed.map_err(failed(During::RemoveImage, attempt)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == EngineErrorKind::NotFound => Ok(true),
            Err(error) if error.kind == EngineErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Repository and tag of an image name.
fn named(tag: &str, attempt: &str) -> Result<(String, String), EngineError> {
    let error = |message| EngineError {
        kind: EngineErrorKind::Failed,
        attempt: attempt.to_owned(),
        message,
    };
    let image: ImageRef = tag
        .parse()
        .map_err(|malformed| error(format!("{malformed}")))?;
    if image.digest().is_some() {
        return Err(error(
            "the name of a new image cannot have a digest; write a tag instead".to_owned(),
        ));
    }
    let image = image.with_default_tag();
    Ok((
        image.repository(),
        image.tag().unwrap_or("latest").to_owned(),
    ))
}

/// A label in a Dockerfile's syntax for an imported image. The value has one line.
fn label(name: &str, value: &str) -> String {
    let quoted = |text: &str| {
        let escaped = text
            .replace('\\', r"\\")
            .replace('"', r#"\""#)
            .replace('$', r"\$");
        format!("\"{escaped}\"")
    };
    format!("LABEL {}={}", quoted(name), quoted(value))
}

fn credentials(given: &Credentials, image: &ImageRef) -> DockerCredentials {
    let serveraddress = Some(
        image
            .registry()
            .unwrap_or("https://index.docker.io/v1/")
            .to_owned(),
    );
    match given {
        Credentials::Password { user, password } => DockerCredentials {
            username: Some(user.clone()),
            password: Some(password.clone()),
            serveraddress,
            ..Default::default()
        },
        Credentials::Token(token) => DockerCredentials {
            identitytoken: Some(token.clone()),
            serveraddress,
            ..Default::default()
        },
    }
}

fn info(image: ImageInspect) -> ImageInfo {
    let config = image.config.unwrap_or_default();
    let command = config.entrypoint.into_iter().chain(config.cmd);
    ImageInfo {
        id: image.id.unwrap_or_default(),
        os: image.os.unwrap_or_default(),
        arch: image.architecture.unwrap_or_default(),
        command: command.flatten().collect(),
        healthcheck: config
            .healthcheck
            .and_then(|check| check.test)
            .unwrap_or_default(),
        user: config.user.unwrap_or_default(),
        workdir: config.working_dir.unwrap_or_default(),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
    }
}

fn reported(report: CreateImageInfo) -> Option<Progress> {
    let status = report.status?;
    let ProgressDetail { current, total } = report.progress_detail.unwrap_or_default();
    let bytes = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    Some(match report.id {
        // The id of the first report is the tag, not a layer.
        Some(id) if !id.is_empty() && !status.starts_with("Pulling from") => Progress::Layer {
            id,
            status,
            current: bytes(current),
            total: bytes(total),
        },
        _ => Progress::Line(status),
    })
}

/// Follows a build's output: passes its lines on and keeps the lines of the current step.
#[derive(Default)]
struct Step {
    /// `Step 2/3 : RUN make`.
    name: Option<String>,
    lines: VecDeque<String>,
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
            if self.lines.len() == FAILING_LINES {
                self.lines.pop_front();
            }
            self.lines.push_back(line.to_owned());
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
        if let Some(name) = &self.name {
            error.message = format!("{name}: {}", error.message);
        }
        for line in &self.lines {
            error.message.push_str("\n  ");
            error.message.push_str(line);
        }
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
