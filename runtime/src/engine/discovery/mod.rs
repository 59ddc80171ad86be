//! Finds the engine to use: the one that was asked for, or the first that answers.
//!
//! An engine that was asked for, by name of an address, by `DOCKER_HOST` or by Docker's context, is used or fails: never
//! is another taken instead. Where nothing was asked for, the usual places are tried in order, and the error names
//! each with what it said. The environment and the file system are seen through [`Surroundings`] only.

pub(crate) mod error;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use seatrial_model::suggest;
use serde::Deserialize;

use self::error::{Answer, Tried};
use super::address::{self, Address};
use super::call::Engine;
use super::deadlines::Deadlines;
use super::docker::Docker;
use super::kind::Kind;

pub(crate) use self::error::DiscoveryError;

/// Which engine is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum EngineChoice {
    /// The first that answers.
    #[default]
    Any,
    /// `docker`, `podman` or an address, as it is written in `SEATRIAL_ENGINE` or `seatrial.toml`.
    Named(String),
}

impl From<Option<String>> for EngineChoice {
    fn from(engine: Option<String>) -> Self {
        engine.map_or(Self::Any, Self::Named)
    }
}

/// What discovery sees of the machine.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) variables: BTreeMap<String, String>,
    /// What stands for `/` in the paths of the system's sockets.
    pub(super) root: PathBuf,
    pub(super) deadlines: Deadlines,
}

impl Surroundings {
    /// This machine, with these variables.
    fn of_this_machine(variables: BTreeMap<String, String>, deadlines: Deadlines) -> Self {
        Self {
            variables,
            root: PathBuf::from("/"),
            deadlines,
        }
    }

    /// A variable's value; an empty one counts as none.
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from)
    }

    fn docker_config(&self) -> Option<PathBuf> {
        self.variable("DOCKER_CONFIG")
            .map(PathBuf::from)
            .or_else(|| Some(self.home()?.join(".docker")))
    }
}

/// Connects to the engine asked for, or to the first that answers, as the variables of the environment say. `timeout` is
/// how long it may take to answer, then and later.
///
/// # Errors
///
/// Every place that was tried and what it said, ready for the terminal.
pub(crate) async fn connect_within(
    timeout: Duration,
    choice: &EngineChoice,
    variables: BTreeMap<String, String>,
) -> Result<Engine, DiscoveryError> {
    let deadlines = Deadlines::new(timeout);
    connect_in(choice, &Surroundings::of_this_machine(variables, deadlines)).await
}

/// As [`connect_within`], with time enough.
#[cfg(test)]
pub(crate) async fn connect(
    choice: &EngineChoice,
    variables: BTreeMap<String, String>,
) -> Result<Engine, DiscoveryError> {
    connect_within(Duration::from_secs(60), choice, variables).await
}

pub(super) async fn connect_in(
    choice: &EngineChoice,
    surroundings: &Surroundings,
) -> Result<Engine, DiscoveryError> {
    let mut tried = Vec::new();
    for candidate in candidates(choice, surroundings) {
        let (address, answer) = match candidate.address {
            // An engine that the system starts on first use needs seconds.
            Ok(address) => match ask(&address, surroundings.deadlines.quiet).await {
                Ok(engine) => {
                    let kind = Kind::Docker(Arc::new(engine));
                    return Ok(Engine::new(kind, Some(surroundings.deadlines)));
                }
                Err(answer) => (address.to_string(), answer),
            },
            Err((written, refusal)) => (written, Answer::Unsupported(refusal)),
        };
        tried.push(Tried {
            address,
            origin: candidate.origin,
            answer,
            asked_for: candidate.asked_for,
            start: candidate.start.to_owned(),
        });
    }
    Err(DiscoveryError::new(tried))
}

/// Connects to the engine at an address.
async fn ask(address: &Address, deadline: Duration) -> Result<Docker, Answer> {
    // The socket's own words are clearer than those of a request that failed over it.
    if let Address::Unix(path) = address
        && let Err(error) = tokio::net::UnixStream::connect(path).await
    {
        return Err(match error.kind() {
            io::ErrorKind::NotFound => Answer::Missing,
            io::ErrorKind::PermissionDenied => Answer::Denied,
            io::ErrorKind::ConnectionRefused => Answer::Refused,
            _ => Answer::Foreign(error.to_string()),
        });
    }
    match tokio::time::timeout(deadline, Docker::open(address)).await {
        Ok(Ok(engine)) => Ok(engine),
        Ok(Err(error)) => Err(Answer::from_error(&error)),
        Err(_) => Err(Answer::Silent(deadline)),
    }
}

/// A place where an engine may be.
#[derive(Debug)]
struct Candidate {
    /// Or how it was written, and why it cannot be used.
    address: Result<Address, (String, String)>,
    /// Why it is tried: `DOCKER_HOST`, `Colima`.
    origin: String,
    /// Whether it was asked for, rather than one of the usual places.
    asked_for: bool,
    /// How one starts it.
    start: &'static str,
}

/// Where to look, in order.
fn candidates(choice: &EngineChoice, surroundings: &Surroundings) -> Vec<Candidate> {
    match choice {
        EngineChoice::Any => {
            if let Some(asked) = asked_of_docker(surroundings) {
                return vec![asked];
            }
            let mut all = docker_sockets(surroundings);
            all.extend(podman_sockets(surroundings));
            all
        }
        EngineChoice::Named(value) if value == "docker" => match asked_of_docker(surroundings) {
            Some(asked) => vec![asked],
            None => docker_sockets(surroundings),
        },
        EngineChoice::Named(value) if value == "podman" => podman_sockets(surroundings),
        EngineChoice::Named(value) => {
            let mut candidate = written(value, NAMED);
            if !value.contains(['/', ':']) {
                candidate.address = Err((value.clone(), unknown(value)));
            }
            vec![candidate]
        }
    }
}

const START_DOCKER: &str = "start it with `sudo systemctl start docker`";
const START_ROOTLESS: &str = "start it with `systemctl --user start docker`";
const START_DESKTOP: &str = "start Docker Desktop";
const START_PODMAN: &str = "start it with `systemctl --user start podman.socket`";
const START_WRITTEN: &str = "start the engine, or name another one there";

/// Why a word is no engine.
fn unknown(value: &str) -> String {
    let instead = match suggest::nearest(value, ["docker", "podman"]) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "write `docker`, `podman` or an address such as `unix:///var/run/docker.sock`"
            .to_owned(),
    };
    format!("there is no engine `{value}`; {instead}")
}

/// Where a choice is written.
const NAMED: &str = "SEATRIAL_ENGINE or seatrial.toml";

/// An address as a user wrote it.
fn written(value: &str, origin: &str) -> Candidate {
    Candidate {
        address: Address::parse(value).map_err(|refusal| (value.to_owned(), refusal)),
        origin: origin.to_owned(),
        asked_for: true,
        start: START_WRITTEN,
    }
}

/// What `DOCKER_HOST` or else Docker's context name.
fn asked_of_docker(surroundings: &Surroundings) -> Option<Candidate> {
    if let Some(host) = surroundings.variable("DOCKER_HOST") {
        let mut candidate = written(host, "DOCKER_HOST");
        if matches!(candidate.address, Ok(Address::Tcp(_)))
            && surroundings.variable("DOCKER_TLS_VERIFY").is_some()
        {
            candidate.address = Err((
                host.to_owned(),
                format!(
                    "{}, and unset `DOCKER_TLS_VERIFY`",
                    address::encrypted(host)
                ),
            ));
        }
        return Some(candidate);
    }
    let config = surroundings.docker_config()?;
    let (context, origin) = match surroundings.variable("DOCKER_CONTEXT") {
        Some(context) => (context.to_owned(), "DOCKER_CONTEXT".to_owned()),
        None => {
            let file = config.join("config.json");
            (current_context(&file)?, file.display().to_string())
        }
    };
    // Docker's own name for "no context".
    if context == "default" {
        return None;
    }
    let origin = format!("context `{context}` of {origin}");
    let refused = |refusal| Candidate {
        address: Err((format!("context `{context}`"), refusal)),
        origin: origin.clone(),
        asked_for: true,
        start: START_WRITTEN,
    };
    let Some((directory, meta)) = find_context(&config, &context) else {
        return Some(refused(
            "there is no such context; see `docker context ls`, and choose another with `docker \
             context use`"
                .to_owned(),
        ));
    };
    let Some(host) = meta.endpoints.docker.and_then(|docker| docker.host) else {
        return Some(refused(
            "the context names no Docker engine; choose another with `docker context use`"
                .to_owned(),
        ));
    };
    let mut candidate = written(&host, &origin);
    let encrypted = config
        .join("contexts/tls")
        .join(directory)
        .join("docker")
        .is_dir();
    if encrypted && matches!(candidate.address, Ok(Address::Tcp(_))) {
        candidate.address = Err((host.clone(), address::encrypted(&host)));
    }
    candidate.start = "start the engine, or choose another with `docker context use`";
    Some(candidate)
}

#[derive(Deserialize)]
struct DockerConfig {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

#[derive(Deserialize)]
struct ContextMeta {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Endpoints", default)]
    endpoints: ContextEndpoints,
}

#[derive(Default, Deserialize)]
struct ContextEndpoints {
    docker: Option<ContextEndpoint>,
}

#[derive(Deserialize)]
struct ContextEndpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
}

/// A file that is not there or not Docker's names no context, as for Docker's own client.
fn current_context(file: &Path) -> Option<String> {
    let text = std::fs::read(file).ok()?;
    let config: DockerConfig = serde_json::from_slice(&text).ok()?;
    config.current_context.filter(|context| !context.is_empty())
}

/// The context of that name, and the name of the directory that is its own. The directories are named by a digest of
/// the context's name, which the file inside repeats in the clear.
fn find_context(config: &Path, name: &str) -> Option<(std::ffi::OsString, ContextMeta)> {
    let contexts = std::fs::read_dir(config.join("contexts/meta")).ok()?;
    contexts.filter_map(Result::ok).find_map(|entry| {
        let text = std::fs::read(entry.path().join("meta.json")).ok()?;
        let meta: ContextMeta = serde_json::from_slice(&text).ok()?;
        (meta.name == name).then(|| (entry.file_name(), meta))
    })
}

fn docker_sockets(surroundings: &Surroundings) -> Vec<Candidate> {
    let mut sockets = vec![socket(
        surroundings.root.join("var/run/docker.sock"),
        "Docker",
        START_DOCKER,
    )];
    if let Some(runtime) = surroundings.variable("XDG_RUNTIME_DIR") {
        let path = Path::new(runtime).join("docker.sock");
        sockets.push(socket(path, "rootless Docker", START_ROOTLESS));
    }
    if let Some(home) = surroundings.home() {
        for (path, origin, start) in [
            (".docker/run/docker.sock", "Docker Desktop", START_DESKTOP),
            (
                ".docker/desktop/docker.sock",
                "Docker Desktop on Linux",
                START_DESKTOP,
            ),
            (
                ".colima/default/docker.sock",
                "Colima",
                "start it with `colima start`",
            ),
            (".orbstack/run/docker.sock", "OrbStack", "start OrbStack"),
            (
                ".rd/docker.sock",
                "Rancher Desktop",
                "start Rancher Desktop",
            ),
        ] {
            sockets.push(socket(home.join(path), origin, start));
        }
    }
    sockets
}

fn podman_sockets(surroundings: &Surroundings) -> Vec<Candidate> {
    let mut sockets = Vec::new();
    if let Some(runtime) = surroundings.variable("XDG_RUNTIME_DIR") {
        let path = Path::new(runtime).join("podman/podman.sock");
        sockets.push(socket(path, "rootless Podman", START_PODMAN));
    }
    let path = surroundings.root.join("run/podman/podman.sock");
    sockets.push(socket(path, "Podman", START_PODMAN));
    sockets
}

fn socket(path: PathBuf, origin: &str, start: &'static str) -> Candidate {
    Candidate {
        address: Ok(Address::Unix(path)),
        origin: origin.to_owned(),
        asked_for: false,
        start,
    }
}
