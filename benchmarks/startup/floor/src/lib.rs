//! What any framework has to ask of the engine, and nothing else.
//!
//! A start is three calls: `POST /containers/create` (default bridge, one port published on loopback), `POST
//! /containers/ID/start`, `GET /containers/ID/json` for the port that the engine chose. A removal is one: `DELETE
//! /containers/ID?force=1&v=1`. Each call has a connection of its own, over the engine's socket.

pub mod calls;

use std::net::SocketAddr;

use serde_json::json;
use startup_measure::{LABEL, call};

/// A Redis that is removed when this is dropped.
pub struct Redis {
    pub id: String,
    pub address: SocketAddr,
    /// Where other containers reach it.
    pub bridge: String,
}

impl Redis {
    pub fn start(environment: &[String]) -> Self {
        Self::start_on("bridge", environment)
    }

    /// Starts one on a network of this name.
    pub fn start_on(network: &str, environment: &[String]) -> Self {
        let body = json!({
            "Image": "redis:7",
            "Env": environment,
            "Labels": { LABEL.0: LABEL.1 },
            "ExposedPorts": { "6379/tcp": {} },
            "HostConfig": {
                "NetworkMode": network,
                "PortBindings": { "6379/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "" }] },
            },
        });
        let created = call("POST", "/containers/create", &body.to_string());
        let id = created["Id"].as_str().expect("the id").to_owned();
        call("POST", &format!("/containers/{id}/start"), "");
        Self::find_on(network, &id)
    }

    /// Looks for a Redis that runs.
    pub fn find(id: &str) -> Self {
        Self::find_on("bridge", id)
    }

    fn find_on(network: &str, id: &str) -> Self {
        let container = call("GET", &format!("/containers/{id}/json"), "");
        let settings = &container["NetworkSettings"];
        let port = settings["Ports"]["6379/tcp"][0]["HostPort"].as_str();
        let port = port.and_then(|it| it.parse().ok()).expect("the port");
        let bridge = settings["Networks"][network]["IPAddress"].as_str();
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

/// A network that is removed when this is dropped.
pub struct Network(pub String);

impl Network {
    pub fn create(name: String) -> Self {
        let body = json!({ "Name": name, "Labels": { LABEL.0: LABEL.1 } });
        call("POST", "/networks/create", &body.to_string());
        Self(name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        call("DELETE", &format!("/networks/{}", self.0), "");
    }
}
