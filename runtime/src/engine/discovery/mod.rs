//! Finds the engine to use: the one that was asked for, or the first that answers.
//!
//! `SEATRIAL_ENGINE`, seatrial.toml, `DOCKER_HOST` and Docker's context can ask for an engine. That engine is used or
//! fails, and no other engine replaces it. If nothing asks for an engine, the usual places are tried in order, and the
//! error lists each place with its answer. The environment and the file system must be read through [`Surroundings`]
//! only.

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

/// The engine that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum EngineChoice {
    /// The first that answers.
    #[default]
    Any,
    /// `docker`, `podman` or an address, as in `SEATRIAL_ENGINE` or `seatrial.toml`.
    Named(String),
}

impl From<Option<String>> for EngineChoice {
    fn from(engine: Option<String>) -> Self {
        engine.map_or(Self::Any, Self::Named)
    }
}

/// The part of the machine that discovery reads.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) variables: BTreeMap<String, String>,
    /// The directory that replaces `/` in the paths of the system's sockets.
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

    /// The value of a variable. An empty value counts as unset.
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

/// Connects to the engine that was asked for, or to the first that answers. `timeout` is the time that the engine may
/// take for any answer.
///
/// # Errors
///
/// Returns an error with every place that was tried and its answer, ready for the terminal.
pub(crate) async fn connect_within(
    timeout: Duration,
    choice: &EngineChoice,
    variables: BTreeMap<String, String>,
) -> Result<Engine, DiscoveryError> {
    let deadlines = Deadlines::new(timeout);
    connect_in(choice, &Surroundings::of_this_machine(variables, deadlines)).await
}

/// The same, with a generous timeout.
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
            // An engine that the system starts on first use takes seconds.
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
    // The socket's error is clearer than that of a failed request.
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
    /// The address, or else its text and the reason for which it is not supported.
    address: Result<Address, (String, String)>,
    /// The source of the address: `DOCKER_HOST`, `Colima`.
    origin: String,
    /// Whether the user asked for this place. Otherwise it is one of the usual places.
    asked_for: bool,
    /// How to start the engine.
    start: &'static str,
}

/// The places to try, in order.
fn candidates(choice: &EngineChoice, surroundings: &Surroundings) -> Vec<Candidate> {
    match choice {
        EngineChoice::Any => {
            if let Some(asked) = docker_setting(surroundings) {
                return vec![asked];
            }
            let mut all = docker_sockets(surroundings);
            all.extend(podman_sockets(surroundings));
            all
        }
        EngineChoice::Named(value) if value == "docker" => match docker_setting(surroundings) {
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
const START_WRITTEN: &str = "start the engine, or change the address";

/// The error of an unknown engine.
fn unknown(value: &str) -> String {
    let instead = match suggest::nearest(value, ["docker", "podman"]) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "write `docker`, `podman` or an address such as `unix:///var/run/docker.sock`"
            .to_owned(),
    };
    format!("unknown engine `{value}`; {instead}")
}

/// Where the user writes the engine.
const NAMED: &str = "SEATRIAL_ENGINE or seatrial.toml";

/// An address that the user wrote.
fn written(value: &str, origin: &str) -> Candidate {
    Candidate {
        address: Address::parse(value).map_err(|refusal| (value.to_owned(), refusal)),
        origin: origin.to_owned(),
        asked_for: true,
        start: START_WRITTEN,
    }
}

/// The engine that `DOCKER_HOST` names, or else Docker's context.
fn docker_setting(surroundings: &Surroundings) -> Option<Candidate> {
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
            "no such context; list the contexts with `docker context ls`, and choose one with `docker context \
             use`"
                .to_owned(),
        ));
    };
    let Some(host) = meta.endpoints.docker.and_then(|docker| docker.host) else {
        return Some(refused(
            "the context has no Docker endpoint; choose another with `docker context use`"
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

/// The current context of a configuration file. A file that is missing or malformed has none, as for Docker's own
/// client.
fn current_context(file: &Path) -> Option<String> {
    let text = std::fs::read(file).ok()?;
    let config: DockerConfig = serde_json::from_slice(&text).ok()?;
    config.current_context.filter(|context| !context.is_empty())
}

/// The context of a name, and the name of its directory. The name of the directory is a digest of the context's name.
/// The file in the directory has the name itself.
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
