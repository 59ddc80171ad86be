//! Images from real registries, builds and scripts, on the engine of this machine.
//!
//! Named `engine_*` so that a machine without an engine can leave them out. Each test has its own registry, files and
//! image names, and removes what it made, also when it panics.

mod engine_buildkit;
mod engine_built;
mod engine_fallback;
mod engine_once;
mod engine_pull;
mod proxy;
mod registry;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::RemoveImageOptions;
use seatrial_model::{ImageRef, Pull};
use tokio::sync::watch;

use super::lock::Locks;
use super::progress::Reporter;
use super::unfinished::Record;
use super::{ImageError, Images};
use crate::config::{BuildSource, Config, Fallback};
use crate::engine::discovery::{self, EngineChoice};
use crate::engine::{Engine, ImageInfo};

/// A workspace with its images, on an engine.
struct Rig {
    engine: Engine,
    config: Config,
    directory: PathBuf,
    /// What the user sees.
    screen: Arc<Mutex<Screen>>,
    /// Images to remove at the end, by name or id.
    made: Mutex<Vec<String>>,
    builds: Arc<Record>,
}

impl Rig {
    async fn new() -> Self {
        super::fixture::prepare().await;
        let engine = discovery::connect(&EngineChoice::Any, std::env::vars().collect())
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let directory = std::env::temp_dir().join(unique());
        fs::create_dir(&directory).expect("a directory");
        let mut config = Config::load(&directory, &|_| None).expect("the defaults");
        config.timeouts.pull = Duration::from_secs(60);
        Self {
            engine,
            config,
            directory,
            screen: Arc::default(),
            made: Mutex::default(),
            builds: Arc::default(),
        }
    }

    /// Images as a new process has them: nothing remembered.
    fn images(&self) -> Images {
        let mut images = Images::new(&self.config, BTreeMap::new(), self.builds.clone());
        images.reporter = Reporter::lines(self.screen.clone());
        images.locks = Locks::at(self.directory.join("locks"));
        let docker_config = self.directory.join("docker").display().to_string();
        images.environment =
            Box::new(move |name| (name == "DOCKER_CONFIG").then(|| docker_config.clone()));
        images
    }

    /// Gets an image as a new process would.
    async fn get(&self, image: &str) -> Result<ImageInfo, ImageError> {
        self.get_with(image, Pull::Missing, None).await
    }

    async fn get_with(
        &self,
        image: &str,
        pull: Pull,
        platform: Option<&str>,
    ) -> Result<ImageInfo, ImageError> {
        let images = self.images();
        let info = images
            .get(&self.engine, &self.image(image), pull, platform)
            .await?;
        // It may lose its name to another.
        self.made.lock().unwrap().push(info.id.clone());
        Ok(info)
    }

    /// A reference to an image that is removed at the end.
    fn image(&self, name: &str) -> ImageRef {
        let image: ImageRef = name.parse().unwrap_or_else(|error| panic!("{error}"));
        self.made.lock().unwrap().push(image.to_string());
        image
    }

    /// The credentials that Docker has.
    fn docker_config(&self, content: &str) {
        self.file("docker/config.json", content, false);
    }

    /// Writes a file of the workspace.
    fn file(&self, path: &str, content: &str, executable: bool) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.directory.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, content).expect("a file");
        let mode = if executable { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    /// Writes a file to be built into an image. No other test has the same, or two builds would share a cached layer
    /// that one of the tests removes.
    fn content(&self, path: &str, content: &str, executable: bool) {
        let own = format!("{}\n{content}\n", self.directory.display());
        self.file(path, &own, executable);
    }

    /// A build of a directory of the workspace.
    fn source(&self, directory: &str, args: BTreeMap<String, String>) -> BuildSource {
        BuildSource {
            context: self.directory.join(directory),
            dockerfile: "Dockerfile".to_owned(),
            target: None,
            args,
        }
    }

    fn fallback_build(&mut self, image: &str, directory: &str, args: &[(&str, &str)]) {
        let args: BTreeMap<String, String> = args
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let fallback = Fallback::Build(self.source(directory, args));
        let image = self.image(image);
        self.config.images.fallbacks.insert(image, fallback);
    }

    /// Has the build of an image use another Dockerfile.
    fn fallback_dockerfile(&mut self, image: &str, file: &str) {
        let image = self.image(image);
        let fallback = self.config.images.fallbacks.get_mut(&image);
        let Some(Fallback::Build(source)) = fallback else {
            panic!("it is not built");
        };
        source.dockerfile = file.to_owned();
    }

    fn fallback_script(&mut self, image: &str, executable: &str) {
        let fallback = Fallback::Script(self.directory.join(executable));
        let image = self.image(image);
        self.config.images.fallbacks.insert(image, fallback);
    }

    fn shown(&self) -> String {
        self.screen.lock().unwrap().0.borrow().clone()
    }

    /// Returns once the user has seen `text`.
    async fn shows(&self, text: &str) {
        let mut shown = self.screen.lock().unwrap().0.subscribe();
        let seen = shown.wait_for(|shown| shown.contains(text)).await;
        seen.expect("the screen is there");
    }

    /// Whether the engine has the image.
    async fn is_local(&self, image: &str) -> bool {
        let found = self.engine.image(image).await;
        found.expect("the engine answers").is_some()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let locks_left = self.directory.join("locks").exists();
        let address = self.engine.info().address.clone();
        let mut images = std::mem::take(&mut *self.made.lock().unwrap_or_else(|p| p.into_inner()));
        let steps = self.builds.made.lock().unwrap_or_else(|p| p.into_inner());
        images.extend(steps.iter().map(|(_, id)| id.clone()));
        // A runtime cannot be blocked on from inside another.
        let removed = std::thread::spawn(move || remove(&address, images)).join();
        let files = fs::remove_dir_all(&self.directory);
        if !std::thread::panicking() {
            removed.expect("the images are removed");
            files.expect("the files are removed");
            assert!(!locks_left, "lock files are left");
        }
    }
}

/// Takes what is written for the user, and tells of it.
#[derive(Default)]
struct Screen(watch::Sender<String>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.send_modify(|shown| shown.push_str(text));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Removes images. Not a call of the engine boundary: nothing but tests does it.
fn remove(address: &str, images: Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let path = address.strip_prefix("unix://").expect("a local engine");
    let docker = bollard::Docker::connect_with_unix(path, 120, bollard::API_DEFAULT_VERSION)
        .expect("the engine is there");
    runtime.block_on(async {
        let mut left: BTreeSet<String> = BTreeSet::new();
        for image in images {
            // What a name stands for can have others built on it, and stays without a name.
            if let Ok(found) = docker.inspect_image(&image).await {
                left.extend([image]);
                left.extend(found.id);
            }
        }
        let mut refused = BTreeSet::new();
        while left != refused {
            refused = std::mem::take(&mut left);
            let (ids, names): (Vec<_>, Vec<_>) = refused
                .iter()
                .partition(|image| image.starts_with("sha256:"));
            for image in names.into_iter().chain(ids) {
                let options = None::<RemoveImageOptions>;
                match docker.remove_image(image, options, None).await {
                    Ok(_)
                    | Err(Error::DockerResponseServerError {
                        status_code: 404, ..
                    }) => {}
                    Err(_) => {
                        left.insert(image.clone());
                    }
                }
            }
        }
        assert!(left.is_empty(), "cannot be removed: {left:?}");
    });
}

/// A name that nothing else has.
fn unique() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("seatrial-images-test-{}-{next}", std::process::id())
}
