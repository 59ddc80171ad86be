//! Images: looks them up, pulls, imports, tags and removes them.

use std::collections::BTreeMap;

use bollard::auth::DockerCredentials;
use bollard::models::{CreateImageInfo, ImageInspect, ProgressDetail};
use bollard::query_parameters::{CreateImageOptions, RemoveImageOptions, TagImageOptions};
use futures_util::{StreamExt, TryStreamExt};
use seatrial_model::ImageRef;

use super::client::Docker;
use super::errors::{During, failed};
use super::held_back::HeldBack;
use crate::engine::error::{EngineError, EngineErrorKind};
use crate::engine::image::{Credentials, ImageInfo, Progress, ProgressSink, PullSpec};
use crate::engine::parts::Parts;

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

/// What a report about an image that comes from a registry says.
pub(super) fn reported(report: CreateImageInfo) -> Option<Progress> {
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
