//! The engine: plain calls of its API, a container by them, and how long what is done behind a contender's back goes on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{DEADLINE, LABEL};

/// The label of what Seatrial starts.
const OF_SEATRIAL: &str = "dev.seatrial.run";

/// How long nothing may have changed: far longer than any step of what is prepared or removed takes.
const QUIET: Duration = Duration::from_secs(1);

/// The pace at which the engine is looked at.
const PACE: Duration = Duration::from_millis(50);

/// Returns once what the contenders have started does not change any more: what was dropped is gone, and what is
/// prepared for the next start is there. Then the engine has just started something, as it has between two tests: on
/// some machines, one that was idle for a second takes 100 ms longer for the next start, whoever asks.
pub fn settle() {
    wait_until_quiet();
    let container = Container::create("none", Ports::Closed, &[]);
    container.start();
    container.remove();
}

fn wait_until_quiet() {
    let begun = Instant::now();
    let mut latest = there();
    let mut since = Instant::now();
    while since.elapsed() < QUIET {
        assert!(begun.elapsed() < DEADLINE, "it still changes: {latest:?}");
        thread::sleep(PACE);
        let now = there();
        if now != latest {
            latest = now;
            since = Instant::now();
        }
    }
}

/// The contenders' containers, and what each of them does.
fn there() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for label in [OF_SEATRIAL.to_owned(), format!("{}={}", LABEL.0, LABEL.1)] {
        let path = format!("/containers/json?all=1&filters=%7B%22label%22:%5B%22{label}%22%5D%7D");
        let containers = call("GET", &path, "");
        let containers = containers.as_array().expect("a list");
        let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
        all.extend(
            containers
                .iter()
                .map(|it| (text(it, "Id"), text(it, "State"))),
        );
    }
    all.sort();
    all
}

/// Whether the port of a Redis is published on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    Closed,
    Published,
}

/// A container of Redis, by its id. It is not removed when this is dropped.
pub struct Container(pub String);

impl Container {
    /// Creates one on a network. Settings of the engine's API can be added.
    pub fn create(network: &str, ports: Ports, more: &[(&str, Value)]) -> Self {
        let mut body = json!({
            "Image": "redis:7",
            "Labels": { LABEL.0: LABEL.1 },
            "HostConfig": { "NetworkMode": network },
        });
        if ports == Ports::Published {
            body["ExposedPorts"] = json!({ "6379/tcp": {} });
            let binding = json!({ "HostIp": "127.0.0.1", "HostPort": "" });
            body["HostConfig"]["PortBindings"] = json!({ "6379/tcp": [binding] });
        }
        for (key, value) in more {
            body[key] = value.clone();
        }
        let created = call("POST", "/containers/create", &body.to_string());
        Self(created["Id"].as_str().expect("the id").to_owned())
    }

    pub fn start(&self) {
        call("POST", &format!("/containers/{}/start", self.0), "");
    }

    /// What the engine says of its networks and ports.
    pub fn network_settings(&self) -> Value {
        let mut container = call("GET", &format!("/containers/{}/json", self.0), "");
        container["NetworkSettings"].take()
    }

    pub fn remove(&self) {
        let path = format!("/containers/{}?force=1&v=1", self.0);
        call("DELETE", &path, "");
    }
}

/// Calls the engine: the JSON of its answer, or null where it has none.
pub fn call(method: &str, path: &str, body: &str) -> Value {
    let mut connection = connect();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let sent = connection.write_all((head + body).as_bytes());
    sent.expect("the engine takes a call");
    let mut answer = BufReader::new(connection);
    let mut line = String::new();
    answer.read_line(&mut line).expect("the engine answers");
    let is_ok = line.split(' ').nth(1).is_some_and(|it| it.starts_with('2'));
    while !matches!(line.as_str(), "\r\n" | "") {
        line.clear();
        answer.read_line(&mut line).expect("the engine answers");
    }
    let mut body = String::new();
    answer.read_to_string(&mut body).expect("the whole answer");
    assert!(is_ok, "{method} {path}: {body}");
    serde_json::from_str(&body).unwrap_or_default()
}

trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

fn connect() -> Box<dyn Connection> {
    let host = std::env::var("DOCKER_HOST");
    let host = host.unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    if let Some(path) = host.strip_prefix("unix://") {
        return Box::new(UnixStream::connect(path).expect("the engine listens"));
    }
    let address = host.strip_prefix("tcp://").expect("unix:// or tcp://");
    Box::new(TcpStream::connect(address).expect("the engine listens"))
}
