//! The images of one process: the fetches that are done or under way, and what fetching needs.
//!
//! It must not fetch anything itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seatrial_model::{ImageRef, Pull};
use tokio::sync::OnceCell;

use super::credentials::CredentialFiles;
use super::error::ImageError;
use super::lock::Locks;
use super::names;
use super::progress::Reporter;
use super::unfinished::Builds;
use crate::config::{Config, ImageConfig};
use crate::engine::{Engine, EngineInfo, ImageInfo};
use crate::fingerprint::Fingerprint;

/// The images of one process.
pub(crate) struct Images {
    pub(super) config: Arc<ImageConfig>,
    /// How long a fetch may show no progress.
    pub(super) stall_timeout: Duration,
    pub(super) reporter: Reporter,
    pub(super) locks: Locks,
    pub(super) builds: Arc<dyn Builds>,
    pub(super) environment: Lookup,
    /// The fetches that are done or under way. If a caller gives its fetch up, the next waiting caller takes over.
    pub(super) fetches: Mutex<HashMap<Key, Fetch>>,
}

/// Looks up a variable of the environment.
type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The one fetch of an image, begun or done.
pub(super) type Fetch = Arc<OnceCell<Result<ImageInfo, ImageError>>>;

/// Requests with the same key share a fetch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    engine: String,
    image: String,
    platform: Option<String>,
    always: bool,
}

impl Key {
    pub(super) fn of(request: &Request<'_>) -> Self {
        Self {
            engine: request.engine.info().address.clone(),
            image: names::canonical(&request.image),
            platform: request.platform.map(str::to_owned),
            always: request.pull == Pull::Always,
        }
    }

    /// The name of the lock that a fetch holds.
    pub(super) fn lock(&self) -> String {
        let platform = self.platform.as_deref().unwrap_or_default();
        Fingerprint::new()
            .add(self.engine.as_bytes())
            .add(self.image.as_bytes())
            .add(platform.as_bytes())
            .finish()
    }
}

/// A request for one image.
pub(super) struct Request<'a> {
    pub(super) engine: &'a Engine,
    /// As the declaration has it.
    pub(super) asked: &'a ImageRef,
    /// After substitution.
    pub(super) image: ImageRef,
    pub(super) pull: Pull,
    pub(super) platform: Option<&'a str>,
}

impl Images {
    /// Images by the workspace's configuration, with the credentials that the variables of the environment name.
    pub(crate) fn new(
        config: &Config,
        variables: BTreeMap<String, String>,
        builds: Arc<dyn Builds>,
    ) -> Self {
        Self {
            config: Arc::new(config.images.clone()),
            stall_timeout: config.timeouts.pull,
            reporter: Reporter::standard(),
            locks: Locks::of_user(),
            builds,
            environment: Box::new(move |name| variables.get(name).cloned()),
            fetches: Mutex::default(),
        }
    }

    /// Forgets the fetches that are done, so that every image is looked for again. A process needs this if it goes on while
    /// images change.
    pub(crate) fn forget(&self) {
        let fetches = self.fetches.lock();
        let mut fetches = fetches.unwrap_or_else(|poisoned| poisoned.into_inner());
        fetches.retain(|_, fetch| !fetch.initialized());
    }

    /// The one fetch of an image.
    pub(super) fn begun(&self, key: &Key) -> Fetch {
        let fetches = self.fetches.lock();
        let mut fetches = fetches.unwrap_or_else(|poisoned| poisoned.into_inner());
        Arc::clone(fetches.entry(key.clone()).or_default())
    }

    pub(super) fn credential_files(&self, engine: &EngineInfo) -> CredentialFiles {
        CredentialFiles::of_user(&engine.name, &self.environment)
    }
}
