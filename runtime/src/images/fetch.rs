//! Fetching: from a request to an image on the engine. Decides which places are asked and in which order, and which of several
//! callers asks them.

use std::ops::ControlFlow;
use std::pin::Pin;

use seatrial_model::{ImageRef, Pull};
use serde::{Deserialize, Serialize};

use super::cache::{Images, Key, Request};
use super::error::{Cause, ImageError, Said, Trail};
use super::lock::{self, Turn};
use super::recipe::{Purpose, Recipe, fallback};
use super::{names, platform};
use crate::config::ImageConfig;
use crate::engine::{Engine, ImageInfo};
use crate::fingerprint::Fingerprint;

/// The future of an image. It is boxed, because an image's fallback may ask for other images.
pub(super) type Getting<'a> =
    Pin<Box<dyn Future<Output = Result<ImageInfo, ImageError>> + Send + 'a>>;

/// The state of an image on the engine.
enum Local {
    Usable(ImageInfo),
    Missing,
    /// The image cannot be used, for this reason.
    Unfit(String),
    /// A fallback made the image, and has changed since.
    Outdated,
}

impl Images {
    /// Returns the image on the engine. If it is missing, it is pulled from a mirror or its registry, or made by the fallback of the
    /// configuration. [`Pull::Always`] pulls once per process. [`Pull::Missing`], the default of a declaration, leaves the choice
    /// to the configuration.
    ///
    /// # Errors
    ///
    /// Nothing delivered the image. All callers in this process get the same error.
    pub(crate) fn get<'a>(
        &'a self,
        engine: &'a Engine,
        image: &'a ImageRef,
        pull: Pull,
        platform: Option<&'a str>,
    ) -> Getting<'a> {
        let pull = match pull {
            Pull::Missing => self.config.pull,
            explicit => explicit,
        };
        self.once(Request {
            engine,
            asked: image,
            image: names::substitute(image, &self.config.substitutions),
            pull,
            platform,
        })
    }

    fn once<'a>(&'a self, request: Request<'a>) -> Getting<'a> {
        let key = Key::of(&request);
        Box::pin(async move {
            if request.pull == Pull::Never {
                return self.local_only(&request).await;
            }
            let fetch = self.begun(&key);
            let result = fetch.get_or_init(|| self.fetch(&request, &key));
            result.await.clone()
        })
    }

    async fn local_only(&self, request: &Request<'_>) -> Result<ImageInfo, ImageError> {
        let mut trail = Trail::new(request.asked, &request.image);
        let who = local_name(request);
        match self.local(request, &mut trail).await {
            Some(Local::Usable(info)) => return Ok(info),
            Some(Local::Missing | Local::Outdated) => {
                trail.add(
                    who,
                    "there is no such image, or it is outdated",
                    Cause::NeverPulled,
                );
            }
            Some(Local::Unfit(reason)) => {
                let platform = request.platform.map(str::to_owned);
                let cause = Cause::NeverPulledFor(platform);
                trail.add(who, Said::Ours(reason), cause);
            }
            None => {}
        }
        Err(trail.into_error(true))
    }

    /// Finds the image, or fetches it while no other process does.
    async fn fetch(&self, request: &Request<'_>, key: &Key) -> Result<ImageInfo, ImageError> {
        // Usually the engine has the image, and no lock is needed.
        if request.pull != Pull::Always {
            let mut trail = Trail::new(request.asked, &request.image);
            match self.local(request, &mut trail).await {
                Some(Local::Usable(info)) => return Ok(info),
                Some(_) => {}
                None => return Err(trail.into_error(true)),
            }
        }
        let lock = self.turn(request, key).await?;
        let result = self.fetch_alone(request).await;
        if let (Some(lock), Err(error)) = (lock, &result) {
            self.leave(lock, error);
        }
        result
    }

    /// Finds, pulls or makes the image.
    async fn fetch_alone(&self, request: &Request<'_>) -> Result<ImageInfo, ImageError> {
        let has_fallback = fallback(&self.config, request.asked).is_some();
        let mut trail = Trail::new(request.asked, &request.image);
        let unpinned = request.asked.without_digest();
        trail.unpinned_is_made(fallback(&self.config, &unpinned).is_some());
        let mut outdated = false;
        if request.pull != Pull::Always {
            match self.local(request, &mut trail).await {
                Some(Local::Usable(info)) => return Ok(info),
                Some(Local::Missing) => {
                    trail.add(local_name(request), "there is no such image", Cause::Absent);
                }
                Some(Local::Unfit(reason)) => {
                    trail.add(local_name(request), Said::Ours(reason), Cause::Absent);
                }
                Some(Local::Outdated) => outdated = true,
                None => return Err(trail.into_error(has_fallback)),
            }
        }
        // An outdated image was made here because no registry delivered it. It is made again without asking registries.
        if !outdated && let ControlFlow::Break(end) = self.pull(request, &mut trail).await {
            return end.ok_or_else(|| trail.into_error(has_fallback));
        }
        match self.recipe(request.asked).await {
            Ok(Some(recipe)) => {
                if let Some(info) = self.make(request, recipe, &mut trail).await {
                    return Ok(info);
                }
            }
            Ok(None) => {}
            Err(reason) => trail.add("fallback", reason, Cause::Fallback),
        }
        Err(trail.into_error(has_fallback))
    }

    /// Releases the lock, and leaves the error for the processes that wait.
    pub(super) fn leave(&self, lock: lock::Lock, error: &ImageError) {
        if let Ok(note) = serde_json::to_vec(&FailureNote::new(&self.config, error)) {
            lock.leave_note(&note);
        }
    }

    /// The state of the image on the engine. `None` if the engine does not answer, which is noted on the trail.
    async fn local(&self, request: &Request<'_>, trail: &mut Trail<'_>) -> Option<Local> {
        let original = request.image.with_default_tag();
        let mut names = vec![original.clone()];
        if original.digest().is_some() {
            // An image from a mirror cannot be renamed to a name with a digest, so it has the mirror's name.
            names.extend(names::mirrored(&original, &self.config.mirrors));
        }
        let mut unfit = None;
        for name in names {
            let info = match request.engine.image(&name.to_string()).await {
                Ok(Some(info)) => info,
                Ok(None) => continue,
                Err(error) => {
                    trail.add_engine(local_name(request), &error, None);
                    return None;
                }
            };
            match platform::unfit(&info, request.engine.info(), request.platform) {
                Some(reason) => unfit = Some(reason),
                None if self.is_outdated(request, &info).await => return Some(Local::Outdated),
                None => return Some(Local::Usable(info)),
            }
        }
        Some(unfit.map_or(Local::Missing, Local::Unfit))
    }

    /// Whether a fallback made the image, and would make another one now.
    async fn is_outdated(&self, request: &Request<'_>, info: &ImageInfo) -> bool {
        let Some(made_from) = info.labels.get(Purpose::Fallback.label()) else {
            return false;
        };
        match self.recipe(request.asked).await {
            Ok(Some(Recipe { fingerprint, .. })) => fingerprint != *made_from,
            Ok(None) => false,
            // Making it again will report what is wrong.
            Err(_) => true,
        }
    }

    /// Waits until no other process fetches this image. `None` if the lock cannot be taken: the fetch goes on without it, because
    /// engines cope with two pulls of the same image.
    ///
    /// # Errors
    ///
    /// The process that held the lock failed. Another attempt right after it would fail for the same reason.
    pub(super) async fn turn(
        &self,
        request: &Request<'_>,
        key: &Key,
    ) -> Result<Option<lock::Lock>, ImageError> {
        let name = key.lock();
        loop {
            let reporter = self.reporter.clone();
            let image = request.image.to_string();
            let waiting = move || {
                reporter.note(&format!("waiting for another process that fetches {image}"));
            };
            match self.locks.acquire(&name, waiting).await {
                Ok(Turn::Held(lock)) => return Ok(Some(lock)),
                Ok(Turn::Left(note)) => {
                    if let Some(error) = FailureNote::read(&note, &self.config) {
                        return Err(error);
                    }
                }
                Err(_) => return Ok(None),
            }
        }
    }
}

/// The note that a process whose fetch failed leaves to the processes that wait for it.
#[derive(Serialize, Deserialize)]
struct FailureNote {
    /// The fingerprint of the configuration. Another configuration may have a fallback that succeeds.
    config: String,
    error: ImageError,
}

impl FailureNote {
    fn new(config: &ImageConfig, error: &ImageError) -> Self {
        Self {
            config: Self::fingerprint(config),
            error: error.clone(),
        }
    }

    fn read(note: &[u8], config: &ImageConfig) -> Option<ImageError> {
        let note: Self = serde_json::from_slice(note).ok()?;
        (note.config == Self::fingerprint(config)).then_some(note.error)
    }

    fn fingerprint(config: &ImageConfig) -> String {
        let shown = format!("{config:?}");
        Fingerprint::new().add(shown.as_bytes()).finish()
    }
}

fn local_name(request: &Request<'_>) -> String {
    let engine = request.engine.info();
    let mut name = format!("{} at {}", engine.name, engine.address);
    if request.image != *request.asked {
        name = format!("{name}, `{}` in its place", request.image);
    }
    name
}
