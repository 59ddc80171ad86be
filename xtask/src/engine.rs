//! Finds the engine that the services will run on. It only looks; `install` changes machines.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::api::{Address, Api};

/// An engine that answers.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    pub(crate) api: Api,
    /// What it calls itself, with its version.
    pub(crate) name: String,
}

impl Engine {
    /// Whether the tests can run on it.
    pub(crate) fn is_supported(&self) -> bool {
        self.name.starts_with("Docker ")
    }

    /// Who it is, whatever address it is asked at.
    fn id(&self) -> Option<String> {
        let info = self.api.get("/info").ok().flatten()?;
        info["ID"].as_str().map(str::to_owned)
    }
}

/// Where an engine was looked for in vain, and what came of it.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) address: String,
    pub(crate) outcome: String,
    /// Whether there is an engine which this user may not use.
    pub(crate) forbidden: bool,
}

/// The first engine that answers, or every place where none does.
pub(crate) fn find() -> Result<Engine, Vec<Attempt>> {
    let mut attempts = Vec::new();
    for place in places() {
        match ask(place) {
            Ok(engine) => return Ok(engine),
            Err(attempt) => attempts.push(attempt),
        }
    }
    Err(attempts)
}

/// All that answer and are not `first` at another address.
pub(crate) fn others(first: &Engine) -> Vec<Engine> {
    let mut known = vec![first.id()];
    let answering = places()
        .into_iter()
        .filter_map(|place| ask(place).ok())
        .filter(|engine| engine.api.address != first.api.address);
    let mut others = Vec::new();
    for engine in answering {
        let id = engine.id();
        if !known.contains(&id) {
            known.push(id);
            others.push(engine);
        }
    }
    others
}

fn ask(place: String) -> Result<Engine, Attempt> {
    let Some(address) = Address::parse(&place) else {
        return Err(Attempt {
            address: place,
            outcome: "unsupported scheme: expected `unix://` or `tcp://`".to_owned(),
            forbidden: false,
        });
    };
    let api = Api { address };
    match api.ping() {
        Ok(()) => {
            let name = name(&api);
            Ok(Engine { api, name })
        }
        Err(error) => Err(Attempt {
            address: place,
            outcome: error.to_string(),
            forbidden: error.kind() == ErrorKind::PermissionDenied,
        }),
    }
}

/// The engine that the environment insists on, if it does: no other is looked for then, and none is installed.
pub(crate) fn demanded() -> Option<String> {
    std::env::var("DOCKER_HOST")
        .ok()
        .filter(|host| !host.is_empty())
}

fn places() -> Vec<String> {
    if let Some(host) = demanded() {
        return vec![host];
    }
    let mut sockets = vec![PathBuf::from("/var/run/docker.sock")];
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    sockets.extend(runtime.iter().map(|dir| dir.join("docker.sock")));
    sockets.extend(home.iter().map(|dir| dir.join(".docker/run/docker.sock")));
    sockets.extend(
        home.iter()
            .map(|dir| dir.join(".colima/default/docker.sock")),
    );
    sockets.extend(home.iter().map(|dir| dir.join(".orbstack/run/docker.sock")));
    sockets.push("/run/podman/podman.sock".into());
    sockets.extend(runtime.iter().map(|dir| dir.join("podman/podman.sock")));
    sockets
        .iter()
        .map(|socket| format!("unix://{}", socket.display()))
        .collect()
}

fn name(api: &Api) -> String {
    let version = api.get("/version").ok().flatten().unwrap_or_default();
    let kind = version["Components"][0]["Name"]
        .as_str()
        .unwrap_or("engine");
    let kind = match kind {
        "Engine" => "Docker",
        other => other,
    };
    format!("{kind} {}", version["Version"].as_str().unwrap_or_default())
}
