//! Pulling: asks the mirrors and the registry of an image in order, until one delivers.

use std::ops::ControlFlow;
use std::pin::pin;
use std::time::{Duration, Instant};

use seatrial_model::ImageRef;

use super::cache::{Images, Request};
use super::error::{Cause, Said, Trail};
use super::progress::Task;
use super::{blocking, names, platform};
use crate::engine::{EngineError, EngineErrorKind, ImageInfo, PullSpec};
use crate::shown::Work;

/// `Break` with the delivered image, or with `None` if another attempt makes no sense.
pub(super) type Outcome = ControlFlow<Option<ImageInfo>>;

impl Images {
    /// Pulls the image from one of its mirrors or from its registry. Each failed attempt is noted on the trail.
    pub(super) async fn pull(&self, request: &Request<'_>, trail: &mut Trail<'_>) -> Outcome {
        let original = request.image.with_default_tag();
        let mut places = names::mirrored(&original, &self.config.mirrors);
        places.push(original.clone());
        for place in &places {
            self.pull_from(place, &original, request, trail).await?;
        }
        ControlFlow::Continue(())
    }

    async fn pull_from(
        &self,
        place: &ImageRef,
        original: &ImageRef,
        request: &Request<'_>,
        trail: &mut Trail<'_>,
    ) -> Outcome {
        let who = format!("registry, `{place}`");
        let registry = names::registry(place);
        let files = self.credential_files(request.engine.info());
        let asked = registry.to_owned();
        let credentials = match blocking::run(move || files.find(&asked)).await {
            Ok(credentials) => credentials,
            Err(reason) => {
                // Most images need no credentials, so a broken helper must not prevent the attempt.
                trail.add(
                    format!("credentials for {registry}"),
                    format!("{reason}; pulling without credentials"),
                    Cause::Credentials(registry.to_owned()),
                );
                None
            }
        };
        let task = self.reporter.begin(Work::Pull, &place.to_string());
        let pull = PullSpec {
            image: place,
            platform: request.platform,
            credentials: credentials.as_ref(),
        };
        let sink = |progress| task.report(progress);
        let result = unless_stalled(
            self.stall_timeout,
            &task,
            "pull the image",
            request.engine.pull(pull, &sink),
        )
        .await;
        match result {
            Ok(()) => task.done(),
            Err(error) => return go_on(trail.add_engine(who, &error, Some(registry))),
        }
        if place != original && original.digest().is_none() {
            let (place, original) = (place.to_string(), original.to_string());
            if let Err(error) = request.engine.tag(&place, &original).await {
                return go_on(trail.add_engine(who, &error, None));
            }
        }
        match request.engine.image(&place.to_string()).await {
            Ok(Some(info)) => {
                match platform::unfit(&info, request.engine.info(), request.platform) {
                    None => ControlFlow::Break(Some(info)),
                    Some(reason) => {
                        let cause = Cause::of_engine(EngineErrorKind::Platform);
                        trail.add(who, Said::Ours(reason), cause);
                        ControlFlow::Continue(())
                    }
                }
            }
            Ok(None) => {
                let said = "the engine reported success, but does not have the image";
                trail.add(who, said, Cause::Absent);
                ControlFlow::Continue(())
            }
            Err(error) => go_on(trail.add_engine(who, &error, None)),
        }
    }
}

fn go_on(makes_sense: bool) -> Outcome {
    match makes_sense {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(None),
    }
}

/// Waits for the call, until nothing has been reported for `stall_timeout`.
pub(super) async fn unless_stalled<T>(
    stall_timeout: Duration,
    task: &Task,
    attempt: &str,
    call: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let mut call = pin!(call);
    loop {
        let until = task.moved() + stall_timeout;
        tokio::select! {
            result = &mut call => return result,
            () = tokio::time::sleep_until(until.into()) => {}
        }
        if task.moved() + stall_timeout <= Instant::now() {
            return Err(EngineError {
                kind: EngineErrorKind::Network,
                attempt: attempt.to_owned(),
                message: format!(
                    "no progress for {stall_timeout:?}; to wait longer, raise `pull` of `[timeouts]` in {}",
                    crate::config::FILE_NAME
                ),
            });
        }
    }
}
