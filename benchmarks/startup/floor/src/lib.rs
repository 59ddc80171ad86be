//! What any framework has to ask of the engine, and nothing else.
//!
//! A start is three calls: `POST /containers/create` (default bridge, one port published on loopback), `POST
//! /containers/ID/start`, `GET /containers/ID/json` for the port that the engine chose. A removal is one: `DELETE
//! /containers/ID?force=1&v=1`. Each call has a connection of its own, over the engine's socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};
use startup_measure::LABEL;

/// A Redis that is removed when this is dropped.
pub struct Redis {
    pub id: String,
    pub address: SocketAddr,
    /// Where other containers reach it.
    pub bridge: String,
}

impl Redis {
    pub fn start(environment: &[String]) -> Self {
        let body = json!({
            "Image": "redis:7",
            "Env": environment,
            "Labels": { LABEL.0: LABEL.1 },
            "ExposedPorts": { "6379/tcp": {} },
            "HostConfig": {
                "PortBindings": { "6379/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "" }] },
            },
        });
        let created = call("POST", "/containers/create", &body.to_string());
        let id = created["Id"].as_str().expect("the id").to_owned();
        call("POST", &format!("/containers/{id}/start"), "");
        Self::find(&id)
    }

    /// Looks for a Redis that runs.
    pub fn find(id: &str) -> Self {
        let container = call("GET", &format!("/containers/{id}/json"), "");
        let settings = &container["NetworkSettings"];
        let port = settings["Ports"]["6379/tcp"][0]["HostPort"].as_str();
        let port = port.and_then(|it| it.parse().ok()).expect("the port");
        let bridge = settings["Networks"]["bridge"]["IPAddress"].as_str();
        Self {
            id: id.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            bridge: bridge.expect("the address").to_owned(),
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        call(
            "DELETE",
            &format!("/containers/{}?force=1&v=1", self.id),
            "",
        );
    }
}

/// Calls the engine: the JSON of its answer, or null where it has none.
fn call(method: &str, path: &str, body: &str) -> Value {
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
