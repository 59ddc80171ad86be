//! //! The engine as it really answers: every test runs against the engine of this machine and its
//! `debian:bookworm-slim`.
//!
//! Tests are named `engine_*` so that a machine without an engine can leave them out. Everything that a test makes is
//! removed with its [`Rig`], also after a panic.

mod engine_buildkit;
mod engine_containers;
mod engine_found;
mod engine_images;
mod engine_networks;
mod engine_soak;
mod engine_streams;

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptions};
use futures_util::StreamExt;

use super::Docker;
use crate::engine::address::Address;
use crate::engine::{
    Attachment, ContainerInfo, ContainerSpec, EngineError, EngineErrorKind, NetworkSpec, Output,
    Subnet,
};
use crate::images::fixture::{self, IMAGE};

/// The label with the image for which a layer was built.
const BUILT: &str = "dev.seatrial.test.image";

/// An engine, and what a test made on it.
struct Rig {
    engine: Docker,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    containers: Vec<String>,
    networks: Vec<String>,
    volumes: Vec<String>,
    images: Vec<String>,
    files: Vec<PathBuf>,
}

impl Rig {
    async fn new() -> Self {
        let engine = open().await.expect("the engine of this machine answers");
        fixture::prepare().await;
        Self {
            engine,
            made: Mutex::default(),
        }
    }

    /// A container's specification, named and on no network.
    fn spec(&self, command: &[impl AsRef<str>]) -> ContainerSpec {
        let name = unique();
        self.made.lock().unwrap().containers.push(name.clone());
        ContainerSpec {
            name,
            image: IMAGE.to_owned(),
            command: Some(words(command)),
            labels: labels(),
            ..ContainerSpec::default()
        }
    }

    /// A container that is created but not started.
    async fn created(&self, command: &[impl AsRef<str>]) -> String {
        let spec = self.spec(command);
        self.engine
            .create(&spec)
            .await
            .expect("the container is created")
    }

    /// A container that runs.
    async fn started(&self, command: &[impl AsRef<str>]) -> String {
        let id = self.created(command).await;
        self.engine.start(&id).await.expect("the container starts");
        id
    }

    /// A container that runs and has written `line`.
    async fn started_and_said(&self, spec: &ContainerSpec, line: &str) -> String {
        let id = self
            .engine
            .create(spec)
            .await
            .expect("the container is created");
        self.engine.start(&id).await.expect("the container starts");
        self.said(&id, line).await;
        id
    }

    /// Returns once a container has written `line`.
    async fn said(&self, id: &str, line: &str) {
        let mut logs = self.engine.logs(id, true, None);
        let mut said = Vec::new();
        while !String::from_utf8_lossy(&said)
            .lines()
            .any(|said| said == line)
        {
            let piece = logs
                .next()
                .await
                .expect("it goes on")
                .expect("the logs are read");
            said.extend(piece.bytes);
        }
    }

    /// A container that runs until it is killed.
    async fn idle(&self) -> String {
        self.started(&["sleep", "1000"]).await
    }

    /// A network on a subnet that nobody else has.
    async fn network(&self) -> (String, Subnet) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let first = std::process::id() as usize;
        loop {
            let third = (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 256;
            let address = Ipv4Addr::new(10, 213, u8::try_from(third).unwrap(), 0);
            let subnet = Subnet {
                address,
                prefix: 24,
            };
            let spec = NetworkSpec {
                name: unique(),
                subnet,
                labels: labels(),
            };
            match self.engine.create_network(&spec).await {
                Ok(id) => {
                    self.made.lock().unwrap().networks.push(id.clone());
                    return (id, subnet);
                }
                Err(error) => assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}"),
            }
        }
    }

    /// A name for an image, which is removed with the rig.
    fn image(&self) -> String {
        let name = format!("{}:test", unique());
        self.made.lock().unwrap().images.push(name.clone());
        name
    }

    /// A name for a volume, which is removed with the rig.
    fn volume(&self) -> String {
        let name = unique();
        self.made.lock().unwrap().volumes.push(name.clone());
        name
    }

    /// An unused path of the host, which is removed with the rig.
    fn path(&self) -> PathBuf {
        let path = std::env::temp_dir().join(unique());
        self.made.lock().unwrap().files.push(path.clone());
        path
    }

    async fn inspect(&self, id: &str) -> ContainerInfo {
        self.engine
            .inspect(id)
            .await
            .expect("the container is there")
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(|made| made.into_inner()));
        // A runtime cannot block on another one.
        let cleared = std::thread::spawn(move || clear(made)).join();
        if !std::thread::panicking() {
            cleared.expect("what the test made is removed");
        }
    }
}

fn clear(made: Made) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let engine = open().await.unwrap();
        for container in made.containers {
            engine.remove(&container).await.unwrap();
        }
        for network in made.networks {
            engine.remove_network(&network).await.unwrap();
        }
        for volume in made.volumes {
            engine.remove_volume(&volume).await.unwrap();
        }
        for image in made.images {
            remove_image(&engine, &image).await;
        }
    });
    for path in made.files {
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else if path.exists() {
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// Removes an image, or what a failed build of it has left.
async fn remove_image(engine: &Docker, image: &str) {
    let filters = HashMap::from([("label", vec![format!("{BUILT}={image}")])]);
    let options = ListImagesOptionsBuilder::default()
        .filters(&filters)
        .build();
    let left = engine.api.list_images(Some(options)).await.unwrap();
    let mut left: Vec<_> = left.into_iter().map(|image| image.id).collect();
    if engine.image(image).await.unwrap().is_some() {
        left = vec![image.to_owned()];
    }
    for image in left {
        let removed = engine
            .api
            .remove_image(&image, None::<RemoveImageOptions>, None);
        removed.await.unwrap();
    }
}

/// The engine of this machine.
async fn open() -> Result<Docker, EngineError> {
    let host = std::env::var("DOCKER_HOST");
    let host = host.as_deref().unwrap_or("unix:///var/run/docker.sock");
    Docker::open(&Address::parse(host).expect("DOCKER_HOST can be used")).await
}

fn unique() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("seatrial-engine-test-{}-{next}", std::process::id())
}

fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([("dev.seatrial.test".to_owned(), "engine".to_owned())])
}

fn words(words: &[impl AsRef<str>]) -> Vec<String> {
    words.iter().map(|word| word.as_ref().to_owned()).collect()
}

/// Standard output and standard error.
fn joined(pieces: Vec<Output>) -> (String, String) {
    let (stderr, stdout): (Vec<_>, Vec<_>) = pieces.into_iter().partition(|piece| piece.stderr);
    let text = |pieces: Vec<Output>| {
        let bytes: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.bytes).collect();
        String::from_utf8(bytes).expect("the output is text")
    };
    (text(stdout), text(stderr))
}

/// The `last` address of a subnet.
fn attached(network: &str, subnet: Subnet, last: u8) -> Attachment {
    let [a, b, c, _] = subnet.address.octets();
    Attachment {
        network: network.to_owned(),
        address: Ipv4Addr::new(a, b, c, last),
    }
}
