//! Images: found on the engine, else pulled, else made; once per image, however many ask.
//!
//! This module owns where an image comes from and in which order places are asked, who may fetch it when several ask,
//! and what the user sees meanwhile. It starts no container, and it removes no image that it got: those are a cache, for this
//! run and the next ones.
//!
//! One fetch per image, within this process (the others wait for its result, also where that is an error) and among
//! the user's processes (the others wait for a lock, then find the image on the engine, or are told the error).

mod blocking;
mod context;
mod credentials;
mod dockerfile;
mod error;
mod fallback;
#[cfg(test)]
pub(crate) mod fixture;
mod helper;
mod ignore;
mod lock;
mod names;
mod platform;
mod program;
mod progress;
mod pull;
mod screen;
mod script;
#[cfg(test)]
mod tests;
pub(crate) mod unfinished;

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seatrial_model::{ImageRef, Pull};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use self::credentials::CredentialFiles;
pub(crate) use self::error::ImageError;
use self::error::{Cause, Said, Trail};
use self::fallback::Recipe;
use self::lock::{Locks, Turn};
pub(crate) use self::platform::go_name;
use self::progress::Reporter;
pub(crate) use self::screen::Screen;
pub(crate) use self::unfinished::Builds;
use crate::config::{Config, ImageConfig};
use crate::engine::{Engine, EngineInfo, ImageInfo};
use crate::fingerprint::Fingerprint;

/// The images of one process.
pub(crate) struct Images {
    config: Arc<ImageConfig>,
    /// How long a fetch may show no progress.
    patience: Duration,
    reporter: Reporter,
    locks: Locks,
    builds: Arc<dyn Builds>,
    environment: Lookup,
    /// What was fetched, and what is being fetched. A fetch that was given up is taken over by the next who waits.
    fetches: Mutex<HashMap<Key, Fetch>>,
}

/// Looks up a variable of the environment.
type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The one fetch of an image, begun or done.
type Fetch = Arc<OnceCell<Result<ImageInfo, ImageError>>>;

/// What makes two requests one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    engine: String,
    image: String,
    platform: Option<String>,
    always: bool,
}

impl Key {
    fn of(request: &Request<'_>) -> Self {
        Self {
            engine: request.engine.info().address.clone(),
            image: names::canonical(&request.image),
            platform: request.platform.map(str::to_owned),
            always: request.pull == Pull::Always,
        }
    }

    /// The name of the lock under which it is fetched.
    fn lock(&self) -> String {
        let platform = self.platform.as_deref().unwrap_or_default();
        Fingerprint::new()
            .add(self.engine.as_bytes())
            .add(self.image.as_bytes())
            .add(platform.as_bytes())
            .finish()
    }
}

/// One image that is asked for.
struct Request<'a> {
    engine: &'a Arc<dyn Engine>,
    /// As the declaration has it.
    asked: &'a ImageRef,
    /// After substitution.
    image: ImageRef,
    pull: Pull,
    platform: Option<&'a str>,
}

/// The future of an image. Named, because an image's fallback may ask for other images.
type Getting<'a> = Pin<Box<dyn Future<Output = Result<ImageInfo, ImageError>> + Send + 'a>>;

/// What the engine itself has.
enum Local {
    Usable(ImageInfo),
    Missing,
    /// It is there and cannot be used: why.
    Unfit(String),
    /// It was made by a fallback that has changed.
    Outdated,
}

/// Removes the locks that killed processes of this user left.
#[cfg_attr(
    not(target_os = "linux"),
    expect(
        dead_code,
        reason = "done by supervisors in processes of their own, which are on Linux only"
    )
)]
pub(crate) fn sweep_locks() {
    Locks::of_user().sweep();
}

impl Images {
    /// Images as the workspace's configuration says, with the credentials that the variables lead to.
    pub(crate) fn new(
        config: &Config,
        variables: BTreeMap<String, String>,
        builds: Arc<dyn Builds>,
    ) -> Self {
        Self {
            config: Arc::new(config.images.clone()),
            patience: config.timeouts.pull,
            reporter: Reporter::standard(),
            locks: Locks::of_user(),
            builds,
            environment: Box::new(move |name| variables.get(name).cloned()),
            fetches: Mutex::default(),
        }
    }

    /// The image on the engine, got there first where it is not: pulled from a mirror or its registry, else made by the
    /// fallback of the configuration. [`Pull::Always`] pulls once per process; [`Pull::Missing`], which is what a
    /// declaration says that says nothing, leaves it to the configuration.
    ///
    /// # Errors
    ///
    /// Nothing delivered it; the same error for everybody who asks in this process.
    pub(crate) fn get<'a>(
        &'a self,
        engine: &'a Arc<dyn Engine>,
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
            let fetch = {
                let mut fetches = self
                    .fetches
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
                Arc::clone(fetches.entry(key.clone()).or_default())
            };
            fetch
                .get_or_init(|| self.fetch(&request, &key))
                .await
                .clone()
        })
    }

    /// Has every image be looked for again, but for those that are being fetched: for a process that goes on while images
    /// change.
    pub(crate) fn forget(&self) {
        let fetches = self.fetches.lock();
        let mut fetches = fetches.unwrap_or_else(|poisoned| poisoned.into_inner());
        fetches.retain(|_, fetch| !fetch.initialized());
    }

    async fn local_only(&self, request: &Request<'_>) -> Result<ImageInfo, ImageError> {
        let mut trail = Trail::new(request.asked, &request.image);
        let who = local_name(request);
        match self.local(request, &mut trail).await {
            Some(Local::Usable(info)) => return Ok(info),
            Some(Local::Missing | Local::Outdated) => {
                trail.add(
                    who,
                    "it is not there, or not up to date",
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

    /// Finds the image, or fetches it in turn with other processes.
    async fn fetch(&self, request: &Request<'_>, key: &Key) -> Result<ImageInfo, ImageError> {
        // Most often it is there, and then nobody needs to wait for anybody.
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
        if let (Some(lock), Err(error)) = (lock, &result)
            && let Ok(word) = serde_json::to_vec(&Word::new(&self.config, error))
        {
            lock.tell(&word);
        }
        result
    }

    /// Finds, pulls or makes the image.
    async fn fetch_alone(&self, request: &Request<'_>) -> Result<ImageInfo, ImageError> {
        let has_fallback = fallback::of(&self.config, request.asked).is_some();
        let mut trail = Trail::new(request.asked, &request.image);
        let unpinned = request.asked.without_digest();
        trail.unpinned_is_made(fallback::of(&self.config, &unpinned).is_some());
        let mut outdated = false;
        if request.pull != Pull::Always {
            match self.local(request, &mut trail).await {
                Some(Local::Usable(info)) => return Ok(info),
                Some(Local::Missing) => {
                    trail.add(local_name(request), "it is not there", Cause::Absent);
                }
                Some(Local::Unfit(reason)) => {
                    trail.add(local_name(request), Said::Ours(reason), Cause::Absent);
                }
                Some(Local::Outdated) => outdated = true,
                None => return Err(trail.into_error(has_fallback)),
            }
        }
        // What was made here because no registry delivers is made again, not asked for again.
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

    /// What the engine itself has; `None` where it does not answer, which is noted on the trail.
    async fn local(&self, request: &Request<'_>, trail: &mut Trail<'_>) -> Option<Local> {
        let original = request.image.with_default_tag();
        let mut names = vec![original.clone()];
        if original.digest().is_some() {
            // What came from a mirror cannot be given a name with a digest, so it has the mirror's.
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

    /// Whether the image was made by a fallback that would now make another one.
    async fn is_outdated(&self, request: &Request<'_>, info: &ImageInfo) -> bool {
        let Some(made_from) = info.labels.get(fallback::LABEL) else {
            return false;
        };
        match self.recipe(request.asked).await {
            Ok(Some(Recipe { fingerprint, .. })) => fingerprint != *made_from,
            Ok(None) => false,
            // Making it again will say what is wrong.
            Err(_) => true,
        }
    }

    /// Waits until no other process fetches this image. A lock that cannot be had must not stand between a user and an
    /// image: engines cope with two pulls of one image.
    ///
    /// # Errors
    ///
    /// The process that was waited for failed; another attempt right behind it would fail of the same.
    async fn turn(
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
                Ok(Turn::Told(word)) => {
                    if let Some(error) = Word::read(&word, &self.config) {
                        return Err(error);
                    }
                }
                Err(_) => return Ok(None),
            }
        }
    }

    fn credential_files(&self, engine: &EngineInfo) -> CredentialFiles {
        CredentialFiles::of_user(&engine.name, &self.environment)
    }
}

/// What a process whose fetch failed leaves to those who wait for it.
#[derive(Serialize, Deserialize)]
struct Word {
    /// Of the configuration: what fails of one may succeed by another's fallback.
    config: String,
    error: ImageError,
}

impl Word {
    fn new(config: &ImageConfig, error: &ImageError) -> Self {
        Self {
            config: Self::fingerprint(config),
            error: error.clone(),
        }
    }

    fn read(word: &[u8], config: &ImageConfig) -> Option<ImageError> {
        let word: Self = serde_json::from_slice(word).ok()?;
        (word.config == Self::fingerprint(config)).then_some(word.error)
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
