//! Questions to the engine that do not go through what is tested: HTTP over its Unix socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use serde_json::Value;

/// The engine's socket: the one `DOCKER_HOST` names, else the usual one.
pub fn socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    PathBuf::from(
        host.strip_prefix("unix://")
            .unwrap_or("/var/run/docker.sock"),
    )
}

/// A connection to the engine.
///
/// # Panics
///
/// Where there is none.
pub fn connect() -> UnixStream {
    let socket = socket();
    UnixStream::connect(&socket)
        .unwrap_or_else(|error| panic!("cannot connect to `{}`: {error}", socket.display()))
}

/// Status and body of the answer.
///
/// # Panics
///
/// Where the engine gives none.
pub fn ask(method: &str, path: &str) -> (u16, String) {
    answer(request(method, path))
}

/// Status and body of the answer to a request with a document.
///
/// # Panics
///
/// Where the engine gives none.
pub fn ask_with(method: &str, path: &str, document: &Value) -> (u16, String) {
    let mut stream = connect();
    let body = document.to_string();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    answer(stream)
}

/// A request without a body, whose answer is still to be read.
///
/// # Panics
///
/// Where there is no engine.
pub fn request(method: &str, path: &str) -> UnixStream {
    let mut stream = connect();
    // HTTP/1.0: the answer ends with the connection and comes in one piece.
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: engine\r\n\r\n").expect("a request");
    stream
}

/// Status and body of the answer to a request.
///
/// # Panics
///
/// If it is not a valid answer.
pub fn answer(mut stream: UnixStream) -> (u16, String) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.expect("a status"), body.to_owned())
}

fn get(path: &str) -> Value {
    let (status, body) = ask("GET", path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

/// A filter for what belongs to a run, as a query.
fn of_run(run: &str) -> String {
    labelled("run", run)
}

/// A filter for what a supervisor has, as a query.
fn owned_by(owner: &str) -> String {
    labelled("owner", owner)
}

fn labelled(label: &str, value: &str) -> String {
    format!("filters=%7B%22label%22%3A%5B%22dev.seatrial.{label}%3D{value}%22%5D%7D")
}

/// The ids of all containers of a run's services, also of those that do not run.
pub fn containers(run: &str) -> Vec<String> {
    let all = get(&format!("/containers/json?all=1&{}", of_run(run)));
    ids(&all, |container| !is_namespace(container))
}

fn containers_of(filter: &str) -> Vec<String> {
    texts(&get(&format!("/containers/json?all=1&{filter}")), "Id")
}

/// The ids of the containers of a run that run and have network namespaces for others.
pub fn namespaces(run: &str) -> Vec<String> {
    let running = get(&format!("/containers/json?{}", of_run(run)));
    ids(&running, is_namespace)
}

fn is_namespace(container: &Value) -> bool {
    container["Labels"]["dev.seatrial.service"] == "network-namespace"
}

fn ids(containers: &Value, wanted: impl Fn(&Value) -> bool) -> Vec<String> {
    let containers = containers.as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = containers.iter().filter(|container| wanted(container));
    wanted
        .filter_map(|container| container["Id"].as_str())
        .map(str::to_owned)
        .collect()
}

/// The container whose network namespace a container has joined, if it has joined one.
pub fn holder(container: &str) -> Option<String> {
    let inspected = get(&format!("/containers/{container}/json"));
    let mode = inspected["HostConfig"]["NetworkMode"].as_str()?;
    mode.strip_prefix("container:").map(str::to_owned)
}

/// The address of a container on its only network.
///
/// # Panics
///
/// If it has none.
pub fn address(container: &str) -> String {
    let inspected = get(&format!("/containers/{container}/json"));
    let networks = inspected["NetworkSettings"]["Networks"].as_object();
    let first = networks.and_then(|networks| networks.values().next());
    let address = first.and_then(|network| network["IPAddress"].as_str());
    address.expect("an address").to_owned()
}

/// How many containers of a run's services are running.
pub fn running(run: &str) -> usize {
    let running = get(&format!("/containers/json?{}", of_run(run)));
    ids(&running, |container| !is_namespace(container)).len()
}

/// Everything the engine has of a run, in words.
pub fn of(run: &str) -> Vec<String> {
    all_of(&of_run(run))
}

/// Everything the engine has of one supervisor, in words.
pub fn of_owner(owner: &str) -> Vec<String> {
    all_of(&owned_by(owner))
}

fn all_of(filter: &str) -> Vec<String> {
    let mut all = Vec::new();
    for container in containers_of(filter) {
        all.push(format!("container {container}"));
    }
    for network in texts(&get(&format!("/networks?{filter}")), "Id") {
        if is_left(&network) {
            all.push(format!("network {network}"));
        }
    }
    for volume in texts(&get(&format!("/volumes?{filter}"))["Volumes"], "Name") {
        all.push(format!("volume {volume}"));
    }
    for image in texts(&get(&format!("/images/json?{filter}")), "Id") {
        all.push(format!("image {image}"));
    }
    all
}

/// Whether a network was left behind: not where it is gone by now, and not where the engine has lost count of the
/// containers on it (Docker before 28, moby#42119). It has none there and refuses to remove it for those that it counts;
/// nobody can, and a later run uses it again.
fn is_left(network: &str) -> bool {
    let path = format!("/networks/{network}");
    let (status, body) = ask("GET", &path);
    if status == 404 {
        return false;
    }
    let inspected: Value = serde_json::from_str(&body).expect("JSON");
    let attached = inspected["Containers"].as_object();
    if attached.is_some_and(|attached| !attached.is_empty()) {
        return true;
    }
    let (status, body) = ask("DELETE", &path);
    !(matches!(status, 403 | 409) && body.contains("active endpoints"))
}

fn texts(list: &Value, key: &str) -> Vec<String> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = items.iter().filter_map(|item| item[key].as_str());
    texts.map(str::to_owned).collect()
}

/// The volumes a container uses, and the addresses of this machine its ports are published on, or those of the container whose
/// network namespace it has joined.
pub fn volumes_and_addresses(container: &str) -> (Vec<String>, Vec<String>) {
    let mut inspected = get(&format!("/containers/{container}/json"));
    let mounts = inspected["Mounts"].as_array().cloned().unwrap_or_default();
    let volumes = mounts.iter().filter(|mount| mount["Type"] == "volume");
    let volumes = volumes.filter_map(|mount| mount["Name"].as_str());
    let volumes = volumes.map(str::to_owned).collect();
    if let Some(holder) = holder(container) {
        inspected = get(&format!("/containers/{holder}/json"));
    }
    let ports = inspected["NetworkSettings"]["Ports"].as_object();
    let bindings = ports.into_iter().flat_map(|ports| ports.values());
    let bindings = bindings.filter_map(Value::as_array).flatten();
    let addresses = bindings.filter_map(|binding| binding["HostIp"].as_str());
    (volumes, addresses.map(str::to_owned).collect())
}

/// A label of a container's; `None` where the engine has no such container, or that has no such label.
///
/// # Panics
///
/// If the engine does not answer with JSON.
pub fn label(container: &str, name: &str) -> Option<String> {
    let label = &inspected(container)?["Config"]["Labels"][name];
    label.as_str().map(str::to_owned)
}

/// The ids of the containers of a service.
///
/// # Panics
///
/// If the engine does not answer with JSON.
pub fn of_service(composition: &str, service: &str) -> Vec<String> {
    of_service_that(composition, service, |_| true)
}

/// The ids of the containers of a service that were never started.
///
/// # Panics
///
/// If the engine does not answer with JSON.
pub fn not_started(composition: &str, service: &str) -> Vec<String> {
    of_service_that(composition, service, |container| {
        container["State"] == "created"
    })
}

fn of_service_that(
    composition: &str,
    service: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Vec<String> {
    let all = get(&format!(
        "/containers/json?all=1&{}",
        labelled("composition", composition)
    ));
    ids(&all, |container| {
        container["Labels"]["dev.seatrial.service"] == service && wanted(container)
    })
}

/// Whether the engine has a container, and that runs, and is not paused.
///
/// # Panics
///
/// If the engine does not answer with JSON.
pub fn is_running(container: &str) -> bool {
    inspected(container).is_some_and(|container| {
        let state = &container["State"];
        state["Running"] == true && state["Paused"] == false
    })
}

/// Whether the engine has a container, also one that does not run.
///
/// # Panics
///
/// If the engine does not answer with JSON.
pub fn has_container(container: &str) -> bool {
    inspected(container).is_some()
}

fn inspected(container: &str) -> Option<Value> {
    let (status, body) = ask("GET", &format!("/containers/{container}/json"));
    (status != 404).then(|| serde_json::from_str(&body).expect("JSON"))
}

/// Whether the engine has a volume of this name.
pub fn has_volume(name: &str) -> bool {
    ask("GET", &format!("/volumes/{name}")).0 != 404
}

/// Removes what a run has left, where nobody else can.
pub fn clean(run: &str) {
    clean_all(&of_run(run));
}

/// Removes what one supervisor has left, where leaving it was the test.
pub fn clean_of_owner(owner: &str) {
    clean_all(&owned_by(owner));
}

fn clean_all(filter: &str) {
    for container in containers_of(filter) {
        ask("DELETE", &format!("/containers/{container}?force=1&v=1"));
    }
    for left in all_of(filter) {
        let (kind, name) = left.split_once(' ').expect("a kind and a name");
        ask("DELETE", &format!("/{kind}s/{name}"));
    }
}
